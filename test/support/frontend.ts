import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

type Page = { html: string; headers?: Record<string, string> }

const empty = '<!doctype html><html lang="en"><title>Frontend</title><h1>Frontend</h1></html>'

/** A frontend that lives elsewhere: on another port, and so on another origin. Every page of it is empty, but for what `pageAt` says. */
export async function startFrontend(t: Test, pageAt: (path: string) => Page = () => ({ html: empty })): Promise<string> {
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

/** A page that has the gateway's client as `grantkeeper`, and its module as `client`. */
export const pageFor = (gatewayUrl: string): string => `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Frontend</title><h1>Frontend</h1><p></p>
<script type="module">
import * as client from '${gatewayUrl}/client.js'
Object.assign(window, { client, grantkeeper: client.createClient() })
document.querySelector('p').textContent = 'Ready'
</script></html>`

const example = new URL('../../examples/frontend/index.html', import.meta.url)

/** The example as it stands, for this gateway. */
export const exampleFor = (gatewayUrl: string): string => readFileSync(example, 'utf8').replace('http://localhost:3000', gatewayUrl)
