import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { Browser } from '../test/support/browser.ts'
import { signIn } from '../test/support/connected.ts'

export type Session = { readonly headers: Readonly<Record<string, string>>; readonly grant: string }

export type RequestResult = {
  readonly ms: number
  readonly ok: boolean
  /** The gateway's error code, else the status, else the error code of the connection. */
  readonly failure: string | undefined
  /** Whether the connection broke and the request went to another instance. */
  readonly sentAgain: boolean
}

/** How long a request is retried after connection errors, and the pause once every instance has failed. */
const retryTimeoutMs = 20_000
const retryDelayMs = 25
/** Error codes of undici for a refused connection, and for one that ended without a response. */
const connectionErrors = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])
const path = '/proxy/productboard/v2/notes'
// More connections than concurrent requests, so that none is queued here.
const dispatcher = new Agent({ connections: 1024, headersTimeout: retryTimeoutMs, bodyTimeout: retryTimeoutMs })

/**
 * Signs in through the gateway's real sign-in flow.
 * @param token of a user who has no connection yet; without it, the session is that of a browser with a cookie
 * @throws when a request with the new session fails
 */
export async function newSession(url: string, token?: string): Promise<Session> {
  const headers = token === undefined ? await connectBrowser(url) : await connectUser(url, token)
  const { statusCode, body } = await send(url, headers)
  if (statusCode !== 200) throw new Error(`the sign-in created no session: ${statusCode} ${await body.text()}`)
  return { headers, ...((await body.json()) as { grant: string }) }
}

async function connectBrowser(url: string): Promise<Session['headers']> {
  const browser = new Browser()
  await (await signIn({ url }, browser)).body?.cancel()
  return { cookie: [...browser.cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; '), 'x-csrf': '1' }
}

/** A sign-in that a bearer begins and completes. The browser in between follows its URL, which is the public one. */
async function connectUser(url: string, token: string): Promise<Session['headers']> {
  const headers = { authorization: `Bearer ${token}` }
  const post = async (path: string, body: object) => {
    const init = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) }
    const response = await fetch(url + path, init)
    if (response.status !== 201) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as { url: string }
  }
  const browser = new Browser()
  const { url: start } = await post('/auth/productboard', { returnTo: '/' })
  const state = new URL((await browser.request(start)).headers.get('location') ?? '').searchParams.get('state') ?? ''
  const callback = `${new URL(start).origin}/auth/productboard/callback?${new URLSearchParams({ code: 'c', state })}`
  const end = (await browser.request(callback)).headers.get('location') ?? ''
  await post('/connections/complete', { code: new URL(end, url).searchParams.get('connect_code') })
  return headers
}

/** Sends requests of one session at the same time, to the instances in turn, as a load balancer does. */
export const sendBurst = (urls: readonly string[], session: Session, count: number): Promise<RequestResult[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => sendWithRetries(urls, i, session)))

async function sendWithRetries(urls: readonly string[], first: number, session: Session): Promise<RequestResult> {
  const startMs = performance.now()
  for (let tries = 0; ; tries++) {
    const outcome = await attempt(urls[(first + tries) % urls.length] ?? '', session)
    const result = { ...outcome, ms: performance.now() - startMs, sentAgain: tries > 0 }
    if (!connectionErrors.has(outcome.failure ?? '') || result.ms > retryTimeoutMs) return result
    // Every instance has failed once.
    if (tries % urls.length === urls.length - 1) await sleep(retryDelayMs)
  }
}

async function attempt(url: string, { headers: sent, grant }: Session): Promise<Pick<RequestResult, 'ok' | 'failure'>> {
  try {
    const { statusCode, headers, body } = await send(url, sent)
    const response = (await body.json()) as { grant?: string }
    // A response for another session's grant counts as a failure.
    if (statusCode === 200 && response.grant === grant) return { ok: true, failure: undefined }
    return { ok: false, failure: String(headers['grantkeeper-error'] ?? statusCode) }
  } catch (error) {
    return { ok: false, failure: (error as NodeJS.ErrnoException).code ?? String(error) }
  }
}

const send = (url: string, headers: Session['headers']) => request(url + path, { dispatcher, headers })
