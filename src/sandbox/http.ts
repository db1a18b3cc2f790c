import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

export function sendJson(res: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  const text = JSON.stringify(body)
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers })
  res.end(text)
}

/** Ends the connection without a word, so that the other side sees a reset. */
export function reset(res: ServerResponse): void {
  res.socket?.resetAndDestroy()
}

export type Body = {
  readonly length: number
  readonly sha256: string
  /** Undefined when it was longer than a mebibyte. */
  readonly text: string | undefined
}

const longestText = 1_048_576

/** Reads a body to its end and keeps it only while it is short. Undefined when the client left in the middle. */
export async function readBody(req: IncomingMessage): Promise<Body | undefined> {
  const hash = createHash('sha256')
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of req as AsyncIterable<Buffer>) {
      hash.update(chunk)
      length += chunk.length
      if (length <= longestText) chunks.push(chunk)
    }
  } catch (error) {
    if (req.complete) throw error
    return undefined
  }
  return { length, sha256: hash.digest('hex'), text: length <= longestText ? Buffer.concat(chunks).toString() : undefined }
}

/** Undefined when it is no JSON, which JSON itself has no word for. */
export function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}

/** Waits, and says whether the client is still there. */
export function pause(ms: number, res: ServerResponse): Promise<boolean> {
  return new Promise(resolve => {
    const timer = setTimeout(() => resolve(true), ms)
    res.once('close', () => {
      clearTimeout(timer)
      resolve(false)
    })
  })
}

/** Splits a request target at its first `?`, byte for byte: `URL` would tidy up the very paths that tests are about. */
export function splitTarget(target: string): { path: string; search: string } {
  const at = target.indexOf('?')
  return at < 0 ? { path: target, search: '' } : { path: target.slice(0, at), search: target.slice(at) }
}
