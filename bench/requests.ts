import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { Browser } from '../test/support/browser.ts'
import { signIn } from '../test/support/connected.ts'

export type Session = { readonly cookie: string; readonly grant: string }

export type RequestResult = {
  readonly ms: number
  readonly ok: boolean
  /** What the gateway says of a failure of its own; or the status, or what became of the connection. */
  readonly failure: string | undefined
  /** It broke at a socket and was sent to the next instance. */
  readonly sentAgain: boolean
}

/** A broken call is sent again for so long; every `againMs` when nobody is there. */
const retryTimeoutMs = 20_000
const retryDelayMs = 25
/** How undici calls a connection that its peer does not take, or ends without an answer. */
const connectionErrors = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])
const path = '/proxy/productboard/v2/notes'
// More connections than there are ever calls at once: nothing waits in here.
const dispatcher = new Agent({ connections: 1024, headersTimeout: retryTimeoutMs, bodyTimeout: retryTimeoutMs })

/** The gateway's real sign-in, without pages. @throws when there is no call that goes through afterwards */
export async function newSession(url: string): Promise<Session> {
  const browser = new Browser()
  await (await signIn({ url }, browser)).body?.cancel()
  const cookie = [...browser.cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; ')
  const { statusCode, body } = await send(url, cookie)
  if (statusCode !== 200) throw new Error(`the sign-in gave no session: ${statusCode} ${await body.text()}`)
  return { cookie, ...((await body.json()) as { grant: string }) }
}

/** Calls of one session at the same moment, handed to the instances in turn, as a balancer does. */
export const sendBurst = (urls: readonly string[], session: Session, calls: number): Promise<RequestResult[]> =>
  Promise.all(Array.from({ length: calls }, (_, i) => sendWithRetries(urls, i, session)))

async function sendWithRetries(urls: readonly string[], first: number, session: Session): Promise<RequestResult> {
  const startMs = performance.now()
  for (let tries = 0; ; tries++) {
    const outcome = await attempt(urls[(first + tries) % urls.length] ?? '', session)
    const answer = { ...outcome, ms: performance.now() - startMs, sentAgain: tries > 0 }
    if (!connectionErrors.has(outcome.failure ?? '') || answer.ms > retryTimeoutMs) return answer
    // Everybody was asked, and nobody is there.
    if (tries % urls.length === urls.length - 1) await sleep(retryDelayMs)
  }
}

async function attempt(url: string, { cookie, grant }: Session): Promise<Pick<RequestResult, 'ok' | 'failure'>> {
  try {
    const { statusCode, headers, body } = await send(url, cookie)
    const answer = (await body.json()) as { grant?: string }
    // An answer that belongs to somebody else would be worse than none.
    if (statusCode === 200 && answer.grant === grant) return { ok: true, failure: undefined }
    return { ok: false, failure: String(headers['grantkeeper-error'] ?? statusCode) }
  } catch (error) {
    return { ok: false, failure: (error as NodeJS.ErrnoException).code ?? String(error) }
  }
}

const send = (url: string, cookie: string) => request(url + path, { dispatcher, headers: { cookie, 'x-csrf': '1' } })
