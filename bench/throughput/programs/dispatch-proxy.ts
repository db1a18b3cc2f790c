// A minimal Node proxy: node:http in front, undici's dispatch behind, no checks, no authentication.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type Dispatcher, Pool } from 'undici'

const { PORT, UPSTREAM = '' } = process.env
const pool = new Pool(UPSTREAM, { connections: 512 })
const prefix = '/proxy/productboard'
const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'trailer', 'proxy-connection'])

class ResponseWriter implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse
  #hasData = false

  constructor(response: ServerResponse) {
    this.#response = response
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Otherwise responses to disconnected clients would occupy their upstream connections forever.
    this.#response.once('close', () => {
      if (!this.#response.writableFinished) controller.abort(new Error('client disconnected'))
    })
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Record<string, string | string[] | undefined>): void {
    for (const name of hopByHop) delete headers[name]
    this.#response.writeHead(status, headers)
    this.#response.on('drain', () => controller.resume())
    // Delaying the head by a tick lets a small response leave in one write.
    process.nextTick(() => this.#hasData || this.#response.flushHeaders())
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#hasData = true
    if (!this.#response.write(chunk)) controller.pause()
  }

  onResponseEnd(): void {
    this.#hasData = true
    this.#response.end()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (!this.#response.headersSent) this.#response.writeHead(502)
    this.#response.end(error.message)
  }
}

function requestHeaders({ rawHeaders }: IncomingMessage): string[] {
  const headers: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    const lower = name.toLowerCase()
    if (lower !== 'host' && !hopByHop.has(lower)) headers.push(name, rawHeaders[i + 1] ?? '')
  }
  return headers
}

createServer((request, response) => {
  const { method = 'GET', url = '' } = request
  const body = method === 'GET' || method === 'HEAD' ? null : request
  const path = `/api${url.slice(prefix.length)}`
  pool.dispatch({ method: method as Dispatcher.HttpMethod, path, headers: requestHeaders(request), body }, new ResponseWriter(response))
}).listen(Number(PORT), '127.0.0.1')
