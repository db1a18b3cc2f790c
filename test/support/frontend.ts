import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

type Page = { html: string; headers?: Record<string, string> }

const emptyPage = '<!doctype html><html lang="en"><title>Frontend</title><h1>Frontend</h1></html>'

/** A frontend on another origin: the same host with another port. Serves the pages of `pageAt`, by default empty ones. */
export async function startFrontend(t: Test, pageAt: (path: string) => Page = () => ({ html: emptyPage })): Promise<string> {
  const server = createServer(({ url = '/' }, response) => {
    const { html, headers } = pageAt(url)
    response.writeHead(200, { 'content-type': 'text/html', ...headers }).end(html)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://localhost:${(server.address() as AddressInfo).port}`
}

/** A page with the gateway's client as `grantkeeper`, and its module as `client`. */
export const clientPage = (gatewayUrl: string): string => `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Frontend</title><h1>Frontend</h1><p></p>
<script type="module">
import * as client from '${gatewayUrl}/client.js'
Object.assign(window, { client, grantkeeper: client.createClient() })
document.querySelector('p').textContent = 'Ready'
</script></html>`

const example = new URL('../../examples/frontend/index.html', import.meta.url)

/** The example, with the URL of this gateway. */
export const examplePage = (gatewayUrl: string): string => readFileSync(example, 'utf8').replace('http://localhost:3000', gatewayUrl)
