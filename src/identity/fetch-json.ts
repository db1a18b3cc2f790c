import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { LookupFor } from '../core/ports.ts'

/** Far above what issuers send: a key with its certificates has 5 kB. */
const maxBytes = 512 * 1024

/** A document of an issuer could not be fetched or is wrong. The message is ours, and the code that of a system error. */
export class IssuerError extends Error {
  override readonly name = 'IssuerError'
  readonly code: string | undefined
  /** HTTP status of the response, if there was one. */
  readonly status: number | undefined

  constructor(message: string, { code, status }: { code?: string | undefined; status?: number | undefined } = {}) {
    super(message)
    this.code = code
    this.status = status
  }
}

type FetchOptions = {
  /** Names the document in errors: a URL may have an API key in its query. */
  readonly what: string
  readonly lookupFor: LookupFor
  readonly signal: AbortSignal
}

/**
 * A JSON document of at most 512 KiB, whatever its Content-Type. Redirects are not followed: they could lead to hosts that nobody configured.
 * There is no connection pool that had to be closed: a document is fetched every ten minutes.
 * @throws {IssuerError}
 */
export async function fetchJson(url: string, { what, lookupFor, signal }: FetchOptions): Promise<unknown> {
  try {
    const response = await get(url, lookupFor, signal)
    const status = response.statusCode ?? 0
    if (status !== 200) {
      response.destroy()
      const hint = status >= 300 && status < 400 ? ', and redirects are not followed' : ''
      throw new IssuerError(`${what} has the status ${status}${hint}`, { status })
    }
    return parse(await readBody(response, what), what)
  } catch (error) {
    if (error instanceof IssuerError) throw error
    if (signal.aborted) throw new IssuerError(`${what} did not arrive in time`, { code: 'ETIMEDOUT' })
    throw new IssuerError(`${what} could not be fetched`, { code: codeOf(error) })
  }
}

const get = (url: string, lookupFor: LookupFor, signal: AbortSignal): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const request = new URL(url).protocol === 'https:' ? httpsRequest : httpRequest
    const headers = { accept: 'application/json', 'user-agent': 'grantkeeper' }
    request(url, { agent: false, lookup: lookupFor(url), signal, headers })
      .on('response', resolve)
      .on('error', reject)
      .end()
  })

async function readBody(response: IncomingMessage, what: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new IssuerError(`${what} is larger than ${maxBytes / 1024} KiB`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parse(body: Buffer, what: string): unknown {
  try {
    return JSON.parse(body.toString().replace(/^\ufeff/, ''))
  } catch {
    throw new IssuerError(`${what} is not JSON`)
  }
}

/** The lookup's refusal of a private address is an error around the one with the code. */
const codeOf = (error: unknown): string | undefined => {
  const { code, cause } = error as { code?: string; cause?: { code?: string } }
  return cause?.code ?? code
}
