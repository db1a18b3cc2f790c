import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

export function sendJson(res: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  const text = JSON.stringify(body)
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers })
  res.end(text)
}

/** Resets the connection (TCP RST). */
export function reset(res: ServerResponse): void {
  res.socket?.resetAndDestroy()
}

export type Body = {
  readonly length: number
  readonly sha256: string
  /** `undefined` if it was longer than 1 MiB. */
  readonly text: string | undefined
}

const maxTextBytes = 1_048_576

/** Reads a body to its end, and its text up to 1 MiB. @returns `undefined` if the client disconnected */
export async function readBody(req: IncomingMessage): Promise<Body | undefined> {
  const hash = createHash('sha256')
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of req as AsyncIterable<Buffer>) {
      hash.update(chunk)
      length += chunk.length
      if (length <= maxTextBytes) chunks.push(chunk)
    }
  } catch (error) {
    if (req.complete) throw error
    return undefined
  }
  return { length, sha256: hash.digest('hex'), text: length <= maxTextBytes ? Buffer.concat(chunks).toString() : undefined }
}

/** @returns `undefined` for invalid JSON, a value that JSON cannot express */
export function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}

/** Waits. @returns whether the client is still connected */
export function pause(ms: number, res: ServerResponse): Promise<boolean> {
  return new Promise(resolve => {
    const timer = setTimeout(() => resolve(true), ms)
    res.once('close', () => {
      clearTimeout(timer)
      resolve(false)
    })
  })
}

/** Splits a request target at its first `?`, byte for byte: `URL` would normalize the paths that tests are about. */
export function splitTarget(target: string): { path: string; search: string } {
  const at = target.indexOf('?')
  return at < 0 ? { path: target, search: '' } : { path: target.slice(0, at), search: target.slice(at) }
}
