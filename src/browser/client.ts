// The package entry `grantkeeper/client`, which the gateway also serves as `/client.js`. One file, served with its types stripped.

import type { Client, ClientOptions, Connection, ErrorCode, FetchInit, PopupMessage, Problem } from './client-types.ts'

export type * from './client-types.ts'

/** An error of Grantkeeper, not of the provider. Branch on `code`. */
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

/** The lifetime of a sign-in at the gateway. */
const connectTimeoutMs = 10 * 60_000
const pollIntervalMs = 1000

/**
 * A client of one gateway. The origin of the page must be in the gateway's `ALLOWED_ORIGINS`.
 *
 * @example
 * const grantkeeper = createClient({ gateway: 'https://connect.example.com' })
 * button.onclick = async () => {
 *   const response = await grantkeeper.fetch('productboard', '/v2/notes', { reconnect: 'popup' })
 * }
 *
 * @throws {TypeError} if `gateway` is not a URL
 */
export function createClient({ gateway = import.meta.url, fetch: send = fetch }: ClientOptions = {}): Client {
  const { origin } = new URL(gateway)
  /** Open popups by provider. */
  const popups = new Map<string, Promise<Connection>>()
  /** The last connection that a popup of this page created, by provider. */
  const created = new Map<string, Connection>()
  let lastList: Connection[] = []

  async function request(url: string, init?: RequestInit): Promise<Response> {
    const response = await send(url, { ...init, credentials: 'include' })
    const code = response.headers.get('Grantkeeper-Error') as ErrorCode | null
    if (!code) return response
    // The response to a HEAD request has no body.
    const problem = await response.json().catch(() => undefined)
    throw new GrantkeeperError({ detail: code, status: response.status, ...problem, code })
  }

  async function connections(): Promise<Connection[]> {
    const response = await request(`${origin}/connections`)
    lastList = (await response.json()).connections
    return lastList
  }

  async function getConnection(provider: string): Promise<Connection> {
    const connection = (await connections()).find(connection => connection.provider === provider)
    if (connection) return connection
    throw errorFor('provider_unknown', provider, 'No such provider')
  }

  /** The path may come from data, and the request carries the user's credential: the URL must stay below this provider's route. */
  async function proxyUrl(provider: string, path: string): Promise<string> {
    const base = `${origin}/proxy/${provider}/`
    const apiPath = /^https?:/i.test(path) ? await apiPathOf(provider, path) : path
    // Normalized as the browser sends it: dot segments could lead to other routes of the gateway.
    const url = apiPath === undefined ? '' : new URL(base + apiPath.replace(/^\//, '')).href
    if (url.startsWith(base)) return url
    throw errorFor('path_rejected', provider, `Not a URL of its API: ${path}`)
  }

  /** The part of an absolute URL below a base URL of the API, or `undefined` if there is none. */
  async function apiPathOf(provider: string, url: string): Promise<string | undefined> {
    const { apiUrls, connectUrl } = lastList.find(c => c.provider === provider && c.apiUrls) ?? (await getConnection(provider))
    if (!apiUrls) throw errorFor('connection_required', provider, 'Not connected', connectUrl)
    const href = URL.canParse(url) ? new URL(url).href : ''
    const base = apiUrls.find(apiUrl => href.startsWith(apiUrl) && '/?#'.includes(href.charAt(apiUrl.length)))
    return base && href.slice(base.length)
  }

  async function proxyFetch(provider: string, path: string | URL, { reconnect, ...init }: FetchInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    headers.set('X-CSRF', '1')
    const sendOnce = async () => request(await proxyUrl(provider, String(path)), { ...init, headers })
    const isStream = init.body instanceof ReadableStream
    /** The gateway asks for a retry if it renewed the access token but could not buffer the body. A stream cannot be sent twice. */
    const sendWithRetry = () =>
      sendOnce().catch((error: Partial<GrantkeeperError>) => {
        if (isStream || error.code !== 'retry_request') throw error
        return sendOnce()
      })
    const popup = reconnect === 'popup'
    const createdBefore = created.get(provider)
    try {
      return await sendWithRetry()
    } catch (error) {
      // Only errors that a new connection fixes have a `connectUrl`.
      const canReconnect = error instanceof GrantkeeperError && error.connectUrl && !(popup && isStream)
      if (!canReconnect || !reconnect) throw error
      // A concurrent request may have connected the provider in the meantime.
      if (created.get(provider) === createdBefore) await connect(provider, { popup })
      return sendWithRetry()
    }
  }

  function connect(provider: string, { popup }: { popup?: boolean } = {}): Promise<Connection> {
    if (!popup) return redirect(provider)
    // Single flight: concurrent callers share one popup.
    const shared = popups.get(provider) ?? connectInPopup(provider).finally(() => popups.delete(provider))
    popups.set(provider, shared)
    return shared
  }

  async function redirect(provider: string): Promise<never> {
    const { connectUrl } = await getConnection(provider)
    // Removes the error of an earlier attempt.
    const here = location.href.replace(/[?&]connect_error=\w*&provider=[\w-]*(?=#|$)/, '')
    location.assign(withReturnTo(connectUrl, here))
    // The page is still alive only if the user comes back by the Back button (bfcache).
    return new Promise((_, reject) => {
      addEventListener('pageshow', ({ persisted }) => persisted && reject(errorFor('connect_abandoned', provider)))
    })
  }

  async function connectInPopup(provider: string): Promise<Connection> {
    // Before any await: browsers open popups only during a user gesture.
    const popup = open('', '', 'popup,width=520,height=720')
    if (!popup) throw errorFor('popup_blocked', provider)
    try {
      const before = await getConnection(provider)
      const end = `/popup?${new URLSearchParams({ opener: location.origin, provider })}`
      popup.location.replace(withReturnTo(before.connectUrl, end))
      const connection = await waitForConnection(popup, before)
      created.set(provider, connection)
      return connection
    } finally {
      popup.close()
    }
  }

  /** The popup's message is a hint when to look, and why it failed. Polling the gateway decides, because the message may never come. */
  async function waitForConnection(popup: Window, { provider, connectedAt }: Connection): Promise<Connection> {
    let message: PopupMessage | undefined
    let wake = () => {}
    const onMessage = ({ origin: sender, source, data }: MessageEvent) => {
      if (sender !== origin || source !== popup || data?.source !== 'grantkeeper' || data.provider !== provider) return
      message = data
      wake()
    }
    addEventListener('message', onMessage)
    try {
      const deadline = Date.now() + connectTimeoutMs
      for (let closedPolls = 0, unseenPolls = 0; Date.now() < deadline; ) {
        await new Promise<void>(resolve => {
          wake = resolve
          setTimeout(resolve, pollIntervalMs)
        })
        if (message?.error) throw errorFor(message.error, provider)
        // A popup also looks closed when a provider's Cross-Origin-Opener-Policy cuts it off while the user is still in it. If this page
        // has the focus, the user is back. Two polls, because a callback may be in flight.
        closedPolls = popup.closed && document.hasFocus() ? closedPolls + 1 : 0
        const hadMessage = message
        const current = await getConnection(provider).catch(() => undefined)
        if (current?.status === 'connected' && current.connectedAt !== connectedAt) return current
        // The popup saw the connection, this page did not in two polls: its requests carry no cookie, or another one.
        unseenPolls = hadMessage && current ? unseenPolls + 1 : 0
        if (unseenPolls > 1) throw errorFor('cookies_blocked', provider, 'Connected, but the browser sends no cookie from here')
        if (current && !message && closedPolls > 1) throw errorFor('connect_abandoned', provider)
      }
      throw errorFor('connect_timeout', provider)
    } finally {
      removeEventListener('message', onMessage)
    }
  }

  return { connections, connect, fetch: proxyFetch }
}

const withReturnTo = (connectUrl: string, returnTo: string) => `${connectUrl}?return_to=${encodeURIComponent(returnTo)}`

const errorFor = (code: ErrorCode, provider: string, detail = `Not connected (${code})`, connectUrl?: string) =>
  new GrantkeeperError({ code, provider, detail: `${provider}: ${detail}`, connectUrl })
