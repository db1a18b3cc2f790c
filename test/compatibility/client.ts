/** What a client library is asked to send. */
export type Request = {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** As a stream of unknown length. */
  readonly inChunks?: boolean
}

/** What its user reads: names of headers in lower case, the body decoded. */
export type Response = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: Buffer }

/** A client library as its users have it, with its own defaults but for those that turn a refusal into an exception. */
export type Client = {
  send(request: Request): Promise<Response>
  /** Two calls, one after the other, where that is not what two of `call` are. */
  sendTwice?(request: Request): Promise<Response>
  /** Repeats a PUT by itself where the answer says when. */
  readonly retries?: boolean
  /** Cannot send what it does not know the length of. */
  readonly cannotStream?: boolean
  close?(): unknown
}

export async function* splitIntoChunks(body: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; at += 10_000) yield body.subarray(at, at + 10_000)
}
