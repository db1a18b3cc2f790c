import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

type Page = { html: string; status?: number; headers?: Record<string, string> }

const emptyPage = '<!doctype html><html lang="en"><title>Frontend</title><h1>Frontend</h1></html>'

/**
 * A frontend on another origin: the same host with another port. Serves the pages of `pageAt`, by default empty ones.
 * @param host one below `.test`, which Chromium takes for this machine, is another site
 */
export async function startFrontend(
  t: Test,
  pageAt: (path: string, request: IncomingMessage) => Page | Promise<Page> = () => ({ html: emptyPage }),
  host = 'localhost'
): Promise<string> {
  const server = createServer(async (request, response) => {
    const { html, status = 200, headers } = await pageAt(request.url ?? '/', request)
    response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(html)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://${host}:${(server.address() as AddressInfo).port}`
}

/**
 * A page with the gateway's client as `grantkeeper`, and its module as `client`.
 * @param options of `createClient`, as source text
 * @param module URL of the client
 */
export const clientPage = (gatewayUrl: string, options = '', module = `${gatewayUrl}/client.js`): string => `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Frontend</title><h1>Frontend</h1><p></p>
<script type="module">
import * as client from '${module}'
Object.assign(window, { client, grantkeeper: client.createClient(${options}) })
document.querySelector('p').textContent = 'Ready'
</script></html>`

const example = new URL('../../examples/frontend/index.html', import.meta.url)

/** The example, with the URL of this gateway. */
export const examplePage = (gatewayUrl: string): string => readFileSync(example, 'utf8').replace('http://localhost:3000', gatewayUrl)
