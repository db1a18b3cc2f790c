import { once } from 'node:events'
import { createServer, request as send } from 'node:http'
import type { Test } from 'tap'

/** A load balancer without any affinity: each request goes to the next of these origins, as it is. */
export async function startRoundRobin(t: Test, port: number, origins: readonly string[]): Promise<void> {
  let turn = 0
  const server = createServer((request, response) => {
    const { method, url = '/', headers } = request
    const { hostname, port } = new URL(origins[turn++ % origins.length] ?? '')
    // With the client's own Host: the instances have one public URL.
    const forwarded = send({ hostname, port, method, path: url, headers }, upstream => {
      response.writeHead(upstream.statusCode ?? 502, upstream.rawHeaders)
      upstream.pipe(response)
    })
    forwarded.on('error', () => response.destroy())
    request.pipe(forwarded)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
}
