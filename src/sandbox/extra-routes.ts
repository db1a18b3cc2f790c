import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Body, pause, sendJson } from './http.ts'
import type { ApiRequest } from './placements.ts'

type ExtraContext = {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly query: URLSearchParams
  readonly body: Body
  readonly reject: (message: string) => void
}

const maxSlowMs = 60_000
const maxBytes = 16_777_216

/** Routes for tests of the proxy, below every vendor's API and behind the same credential. No real vendor has them. */
export const findExtra = (path: string): ((exchange: ExtraContext) => Promise<void>) | undefined => extras.get(path)

/** The request as it arrived, without its credential. */
export const echo = ({ method, url }: IncomingMessage, { query, headers }: ApiRequest, body: Body) => ({
  method,
  url,
  query: Object.fromEntries(query),
  headers,
  bodyLength: body.length,
  bodySha256: body.sha256
})

/** Sends three server-sent events and keeps the stream open until the client disconnects. */
async function events({ res }: ExtraContext) {
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  for (const id of [1, 2, 3]) res.write(`id: ${id}\nevent: note.updated\ndata: ${JSON.stringify({ sequence: id })}\n\n`)
}

/** Responds after `?ms=` milliseconds, at most a minute. */
async function slow({ res, query, reject }: ExtraContext) {
  const ms = parseAmount(query.get('ms'), maxSlowMs)
  if (ms === undefined) return reject('ms must be a whole number')
  if (await pause(ms, res)) sendJson(res, 200, { waitedMs: ms })
}

/** Responds with `?n=` bytes, at most 16 MiB, as fast as the client reads. */
async function bytes({ res, query, reject }: ExtraContext) {
  const n = parseAmount(query.get('n'), maxBytes)
  if (n === undefined) return reject('n must be a whole number')
  res.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': n })
  try {
    await pipeline(Readable.from(chunks(n)), res)
  } catch (error) {
    if (!res.destroyed) throw error
  }
}

const extras: ReadonlyMap<string, (exchange: ExtraContext) => Promise<void>> = new Map([
  ['/events', events],
  ['/slow', slow],
  ['/bytes', bytes]
])

const parseAmount = (text: string | null, max: number) => (/^\d{1,15}$/.test(text ?? '') ? Math.min(Number(text), max) : undefined)

function* chunks(n: number) {
  const chunk = Buffer.alloc(65_536, 'grantkeeper')
  for (let left = n; left > 0; left -= chunk.length) yield chunk.subarray(0, left)
}
