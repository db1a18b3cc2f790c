import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Body, pause, sendJson } from './http.ts'

type Exchange = {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly query: URLSearchParams
  readonly body: Body
  readonly refuse: (message: string) => void
}

const longestSlowMs = 60_000
const maxBytes = 16_777_216

/** Addresses that no vendor has, below every vendor's API and behind the same credential: what a proxy's tests ask for. */
export function extraFor(path: string): ((exchange: Exchange) => Promise<void>) | undefined {
  return path.startsWith('/echo/') ? echo : extras.get(path)
}

/** What arrived, to the byte. */
async function echo({ req, res, body }: Exchange) {
  const { method, url, headers } = req
  sendJson(res, 200, { method, url, headers, bodyLength: body.length, bodySha256: body.sha256 })
}

/** Three server-sent events, and then an open stream until the client goes. */
async function events({ res }: Exchange) {
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  for (const id of [1, 2, 3]) res.write(`id: ${id}\nevent: note.updated\ndata: ${JSON.stringify({ sequence: id })}\n\n`)
}

/** Answers after `?ms=`, at most a minute. */
async function slow({ res, query, refuse }: Exchange) {
  const ms = amount(query.get('ms'), longestSlowMs)
  if (ms === undefined) return refuse('ms must be a whole number')
  if (await pause(ms, res)) sendJson(res, 200, { waitedMs: ms })
}

/** `?n=` bytes, at most 16 MiB, as fast as they are taken. */
async function bytes({ res, query, refuse }: Exchange) {
  const n = amount(query.get('n'), maxBytes)
  if (n === undefined) return refuse('n must be a whole number')
  res.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': n })
  try {
    await pipeline(Readable.from(chunks(n)), res)
  } catch (error) {
    if (!res.destroyed) throw error
  }
}

const extras: ReadonlyMap<string, (exchange: Exchange) => Promise<void>> = new Map([
  ['/echo', echo],
  ['/events', events],
  ['/slow', slow],
  ['/bytes', bytes]
])

const amount = (text: string | null, most: number) => (/^\d{1,15}$/.test(text ?? '') ? Math.min(Number(text), most) : undefined)

function* chunks(n: number) {
  const chunk = Buffer.alloc(65_536, 'grantkeeper')
  for (let left = n; left > 0; left -= chunk.length) yield chunk.subarray(0, left)
}
