// `grantkeeper/client`, and `/client.js`: for the pages of a frontend. All of its code is in this file, which is served without its types.

import type { CallInit, Client, ClientOptions, Connection, ErrorCode, Outcome, Problem } from './client-types.ts'

export type * from './client-types.ts'

/** Branch on `code`. */
export class GrantkeeperError extends Error {
  override readonly name = 'GrantkeeperError'
  declare readonly code: ErrorCode
  declare readonly detail: string
  declare readonly provider?: string
  declare readonly status?: number
  declare readonly connectUrl?: string | undefined
  declare readonly retryAfter?: number
  declare readonly requestId?: string

  constructor(problem: Problem) {
    super(problem.detail)
    Object.assign(this, problem)
  }
}

/** A sign-in lives as long at the gateway. */
const longestMs = 10 * 60_000
const pollMs = 1000

/** @throws {TypeError} when `gateway` is no URL */
export function createClient({ gateway = import.meta.url, fetch: send = fetch }: ClientOptions = {}): Client {
  const { origin } = new URL(gateway)
  const popups = new Map<string, Promise<Connection>>()
  const made = new Map<string, Connection>()
  let known: Connection[] = []

  async function ask(address: string, init?: RequestInit): Promise<Response> {
    const answer = await send(address, { ...init, credentials: 'include' })
    const code = answer.headers.get('Grantkeeper-Error') as ErrorCode | null
    if (!code) return answer
    // The answer to a HEAD has no body.
    const problem = await answer.json().catch(() => undefined)
    throw new GrantkeeperError({ detail: code, status: answer.status, ...problem, code })
  }

  async function connections(): Promise<Connection[]> {
    const answer = await ask(`${origin}/connections`)
    known = (await answer.json()).connections
    return known
  }

  async function find(provider: string): Promise<Connection> {
    const found = (await connections()).find(connection => connection.provider === provider)
    if (found) return found
    throw fault('provider_unknown', provider, 'No such provider')
  }

  /** Nothing but an address of this provider at the gateway: it is made from data, and takes the person's connection along. */
  async function addressOf(provider: string, path: string): Promise<string> {
    const base = `${origin}/proxy/${provider}/`
    const below = /^https?:/i.test(path) ? await belowApi(provider, path) : path
    // As the browser will send it: with dot segments taken out, which could lead to other routes of the gateway.
    const address = below === undefined ? '' : new URL(base + below.replace(/^\//, '')).href
    if (address.startsWith(base)) return address
    throw fault('path_rejected', provider, `Not an address of its API: ${path}`)
  }

  /** What follows the API's base, on a segment border. */
  async function belowApi(provider: string, link: string): Promise<string | undefined> {
    const { apiUrls, connectUrl } = known.find(c => c.provider === provider && c.apiUrls) ?? (await find(provider))
    if (!apiUrls) throw fault('connection_required', provider, 'Not connected', connectUrl)
    const href = URL.canParse(link) ? new URL(link).href : ''
    const base = apiUrls.find(url => href.startsWith(url) && '/?#'.includes(href.charAt(url.length)))
    return base && href.slice(base.length)
  }

  async function call(provider: string, path: string | URL, { reconnect, ...init }: CallInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    headers.set('X-CSRF', '1')
    const once = async () => ask(await addressOf(provider, String(path)), { ...init, headers })
    const isSpent = init.body instanceof ReadableStream
    /** Whatever is kept is sent again when the gateway asks for it: the access was renewed, and the body too large for it to keep. */
    const attempt = () =>
      once().catch((error: Partial<GrantkeeperError>) => {
        if (isSpent || error.code !== 'retry_request') throw error
        return once()
      })
    const popup = reconnect === 'popup'
    const before = made.get(provider)
    try {
      return await attempt()
    } catch (error) {
      // Only errors that a new connection mends say where to make one. And a body that is a stream is spent.
      const mends = error instanceof GrantkeeperError && error.connectUrl && !(popup && isSpent)
      if (!mends || !reconnect) throw error
      // Not when a call that failed at the same time has had it made meanwhile.
      if (made.get(provider) === before) await connect(provider, { popup })
      return attempt()
    }
  }

  function connect(provider: string, { popup }: { popup?: boolean } = {}): Promise<Connection> {
    if (!popup) return leave(provider)
    // However many calls need it at once: one window.
    const shared = popups.get(provider) ?? inPopup(provider).finally(() => popups.delete(provider))
    popups.set(provider, shared)
    return shared
  }

  async function leave(provider: string): Promise<never> {
    const { connectUrl } = await find(provider)
    // Without what an earlier try left in the address.
    const here = location.href.replace(/[?&]connect_error=\w*&provider=[\w-]*(?=#|$)/, '')
    location.assign(withReturn(connectUrl, here))
    // Only somebody who comes back by the Back button finds this page still waiting.
    return new Promise((_, reject) => {
      addEventListener('pageshow', ({ persisted }) => persisted && reject(fault('connect_abandoned', provider)))
    })
  }

  async function inPopup(provider: string): Promise<Connection> {
    // Before anything is waited for: browsers open windows only in the very moment of a click.
    const popup = open('', '', 'popup,width=520,height=720')
    if (!popup) throw fault('popup_blocked', provider)
    try {
      const before = await find(provider)
      const end = `/popup?${new URLSearchParams({ opener: location.origin, provider })}`
      popup.location.replace(withReturn(before.connectUrl, end))
      const connection = await outcomeOf(popup, before)
      made.set(provider, connection)
      return connection
    } finally {
      popup.close()
    }
  }

  /** The message says when to look and why it failed; whether it is connected, the gateway says. So it ends without the message too. */
  async function outcomeOf(popup: Window, { provider, connectedAt }: Connection): Promise<Connection> {
    let told: Outcome | undefined
    let wake = () => {}
    const hear = ({ origin: from, source, data }: MessageEvent) => {
      if (from !== origin || source !== popup || data?.source !== 'grantkeeper' || data.provider !== provider) return
      told = data
      wake()
    }
    addEventListener('message', hear)
    try {
      const end = Date.now() + longestMs
      for (let returned = 0, unseen = 0; Date.now() < end; ) {
        await new Promise<void>(resolve => {
          wake = resolve
          setTimeout(resolve, pollMs)
        })
        if (told?.error) throw fault(told.error, provider)
        // A provider's page that cuts its opener off (COOP) looks closed from here while the person is still in it. But whoever
        // has closed it is back on this page; twice in a row, since a callback may be under way.
        returned = popup.closed && document.hasFocus() ? returned + 1 : 0
        const heard = told
        const now = await find(provider).catch(() => undefined)
        if (now?.status === 'connected' && now.connectedAt !== connectedAt) return now
        // The popup has seen the connection, and this page has not, twice in a row: its calls carry no cookie, or another one.
        unseen = heard && now ? unseen + 1 : 0
        if (unseen > 1) throw fault('cookies_blocked', provider, 'Connected, but the browser sends no cookie from here')
        if (now && !told && returned > 1) throw fault('connect_abandoned', provider)
      }
      throw fault('connect_timeout', provider)
    } finally {
      removeEventListener('message', hear)
    }
  }

  return { connections, connect, fetch: call }
}

const withReturn = (connectUrl: string, address: string) => `${connectUrl}?return_to=${encodeURIComponent(address)}`

const fault = (code: ErrorCode, provider: string, detail = `Not connected (${code})`, connectUrl?: string) =>
  new GrantkeeperError({ code, provider, detail: `${provider}: ${detail}`, connectUrl })
