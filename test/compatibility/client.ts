/** A request that a client library sends. */
export type Request = {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** Sends the body as a stream of unknown length. */
  readonly inChunks?: boolean
}

/** The response as the library's user sees it: header names in lower case, the body decoded. */
export type Response = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: Buffer }

/** A client library with its default options, except that error statuses do not throw. */
export type Client = {
  send(request: Request): Promise<Response>
  /** Sends two requests in a row, for clients whose `send` starts a process of its own. */
  sendTwice?(request: Request): Promise<Response>
  /** Retries a PUT by itself when the response has `Retry-After`. */
  readonly retries?: boolean
  close?(): unknown
}

export async function* splitIntoChunks(body: Buffer): AsyncGenerator<Buffer> {
  for (let start = 0; start < body.length; start += 10_000) yield body.subarray(start, start + 10_000)
}
