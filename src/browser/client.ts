// The package entry `grantkeeper/client`, which the gateway also serves as `/client.js`. One file, served with its types stripped.
// React Native's engine cannot parse `import.meta`: the gateway appends the line that needs it (src/pages/assets.ts).

import type {
  Client,
  ClientOptions,
  Connection,
  ConnectOptions,
  ErrorCode,
  FetchInit,
  PendingSignIn,
  PopupOutcome,
  Problem,
  SignInOptions
} from './client-types.ts'

export type * from './client-types.ts'

/** An error of Grantkeeper, not of the provider. Branch on `code`. */
export class GrantkeeperError extends Error {
  override readonly name = 'GrantkeeperError'
  declare readonly code: ErrorCode
  declare readonly detail: string
  declare readonly provider?: string | undefined
  declare readonly parameter?: string
  declare readonly status?: number
  declare readonly connectUrl?: string | undefined
  declare readonly loginUrl?: string
  declare readonly retryAfter?: number
  declare readonly requestId?: string

  constructor(problem: Problem & ErrorOptions) {
    super(problem.detail, problem)
    Object.assign(this, problem)
  }
}

/** The lifetime of a sign-in at the gateway. */
const connectTimeoutMs = 10 * 60_000
const pollIntervalMs = 1000

/** The gateway that served this script. */
let servedFrom: string | undefined

/** The URL with which a sign-in came back to this page, until it is completed. */
let pageEnd: string | undefined
/** The outcome of that sign-in, for all clients of the page. */
let pageOutcome: Promise<Connection> | undefined

/**
 * A client of one gateway. The origin of the page must be in the gateway's `ALLOWED_ORIGINS`.
 *
 * With `token`, requests are made for the user whom the token names; without, for the session of the gateway's cookie. With `token`, a page
 * to which a sign-in returns is completed by this call: requests wait for it, and `complete()` returns its outcome.
 *
 * @example
 * const grantkeeper = createClient({ gateway: 'https://connect.example.com' })
 * button.onclick = async () => {
 *   const response = await grantkeeper.fetch('productboard', '/v2/notes', { reconnect: 'popup' })
 * }
 *
 * @throws {TypeError} if `gateway` is not the URL of a gateway
 */
export function createClient({
  gateway = servedFrom,
  token,
  fetch: send = (...args) => globalThis.fetch(...args)
}: ClientOptions = {}): Client {
  if (!/^https?:\/\/[^/?#@\s]+([/?#]|$)/i.test(String(gateway)))
    throw new TypeError(`gateway is ${gateway}. Give the URL of the gateway, such as "https://connect.example.com"`)
  const base = String(gateway).replace(/\/*([?#].*)?$/, '')
  /** Open popups by provider and account. */
  const popups = new Map<string, Promise<Connection>>()
  /** The last connection that a popup of this page created, by provider and account. */
  const created = new Map<string, Connection>()
  let lastList: Connection[] = []

  /** @param bearer the token to send instead of asking for one */
  async function request(url: string, init: RequestInit, provider?: string, bearer?: string | null): Promise<Response> {
    // Data may be part of the URL, and the request carries the user's credential. The platform would resolve these to another route.
    if (/^[^?#]*[/\\](\.|%2e){1,2}([/\\?#]|\s*$)|[^ -\uffff]/i.test(url))
      throw errorFor('path_rejected', provider, 'The path leads elsewhere')
    const headers = new Headers(init.headers)
    const jwt = bearer ?? (await token?.())
    if (jwt) headers.set('Authorization', `Bearer ${jwt}`)
    else if (token) throw errorFor('user_required', provider, 'Nobody is signed in: token() returned nothing')
    const response = await send(url, { ...init, headers, credentials: token ? 'omit' : 'include' }).catch(cause => {
      // Aborts and errors of the caller's own `fetch` pass.
      if (!(cause instanceof TypeError)) throw cause
      throw unreachable(`${cause.message}. It is down, or its ALLOWED_ORIGINS lacks this page`, { cause })
    })
    const code = response.headers.get('Grantkeeper-Error') as ErrorCode | null
    if (!code) return response
    if (code === 'token_invalid' && token && !bearer && !isStream(init)) {
      const fresh = await token()
      if (fresh && fresh !== jwt) return request(url, init, provider, fresh)
    }
    // The response to a HEAD request has no body.
    const problem = await response.json().catch(() => undefined)
    throw new GrantkeeperError({ detail: code, status: response.status, ...problem, code })
  }

  /** @param path below the gateway's URL */
  async function call(method: string | undefined, path: string, body?: unknown, account?: string) {
    const headers: HeadersInit = {}
    // A plain GET needs no preflight request.
    if (method) headers['X-CSRF'] = '1'
    if (body !== undefined) headers['Content-Type'] = 'application/json'
    if (account !== undefined) headers['Grantkeeper-Connection'] = account
    const response = await request(`${base}/${path}`, { method, headers, body: JSON.stringify(body) } as RequestInit)
    const { status } = response
    if (status === 204) return {}
    const data = response.ok && (await response.json().catch(() => undefined))
    if (data) return data
    throw unreachable(`something else responded, with ${status}`, { status })
  }

  const unreachable = (detail: string, more: Partial<Problem> & ErrorOptions) =>
    errorFor('gateway_unreachable', undefined, `No response of Grantkeeper from ${base}: ${detail}`, more)

  /** A page that was loaded for the end of a sign-in shows its outcome. */
  const untilComplete = async () => {
    if (token) await completePage()?.catch(() => {})
  }

  const callWhenComplete: typeof call = async (...args) => {
    await untilComplete()
    return call(...args)
  }

  async function connections(): Promise<Connection[]> {
    const list = (await callWhenComplete(undefined, 'connections')).connections
    if (!list) throw unreachable('no list of connections', {})
    lastList = list
    return list
  }

  /** Nobody is signed in: there are no connections, and a sign-in at a provider goes by way of the sign-in at the gateway. */
  const knownConnections = () =>
    connections().catch(error => {
      if (token || error.code !== 'user_required') throw error
      return []
    })

  const isOf = (provider: string, account?: string) => (connection: Connection) =>
    connection.provider === provider && (account === undefined || connection.id === account)

  /** The base of the API below which an absolute URL is, and the part of the URL below it. */
  async function baseAndPathOf(provider: string, url: string, account?: string): Promise<BaseAndPath> {
    const matches = isOf(provider, account)
    const entry = lastList.find(c => matches(c) && c.apiUrls) ?? (await connections()).find(matches)
    if (!entry) throw errorFor(account ? 'connection_unknown' : 'provider_unknown', provider, 'Not in the list of connections')
    const { apiUrls, apiBases, connectUrl } = entry
    if (!apiUrls) throw errorFor('connection_required', provider, 'Not connected', { connectUrl })
    const href = normalized(url)
    const urls = [
      ...apiUrls.map(apiUrl => [apiUrl] as const),
      ...Object.entries(apiBases ?? {}).map(([name, apiUrl]) => [apiUrl, name] as const)
    ]
    // One base may be below another.
    const [found] = urls
      .filter(([apiUrl]) => href.startsWith(apiUrl) && '/?#'.includes(href.charAt(apiUrl.length)))
      .sort(([a], [b]) => b.length - a.length)
    if (!found) throw errorFor('path_rejected', provider, `Not a URL of its API: ${url}`)
    return { base: found[1], path: href.slice(found[0].length) }
  }

  /** The path has no slash at its beginning. */
  async function target(provider: string, path: string, { account, base }: Target = {}): Promise<BaseAndPath> {
    const found = /^https?:/i.test(path) ? await baseAndPathOf(provider, path, account) : { base, path }
    return { base: found.base, path: found.path.replace(/^\//, '') }
  }

  async function proxyFetch(
    provider: string,
    path: string | URL,
    { reconnect, account, base: apiBase, ...init }: FetchInit = {}
  ): Promise<Response> {
    await untilComplete()
    const headers = new Headers(init.headers)
    headers.set('X-CSRF', '1')
    if (account !== undefined) headers.set('Grantkeeper-Connection', account)
    const sendOnce = async () => {
      const to = await target(provider, String(path), { account, base: apiBase })
      return request(`${base}/proxy/${provider}${to.base ? `~${to.base}` : ''}/${to.path}`, { ...init, headers }, provider)
    }
    /** The gateway asks for a retry if it renewed the access token but could not buffer the body. A stream cannot be sent twice. */
    const sendWithRetry = () =>
      sendOnce().catch((error: Partial<GrantkeeperError>) => {
        if (isStream(init) || error.code !== 'retry_request') throw error
        return sendOnce()
      })
    const popup = reconnect === 'popup'
    const key = `${provider} ${account}`
    const createdBefore = created.get(key)
    try {
      return await sendWithRetry()
    } catch (error) {
      if (!reconnect || !(error instanceof GrantkeeperError)) throw error
      if (error.loginUrl && !popup && !token) return login(error.loginUrl)
      // Only errors that a new connection fixes have a `connectUrl`.
      if (!error.connectUrl || (popup && isStream(init))) throw error
      // A concurrent request may have connected the provider in the meantime.
      if (created.get(key) === createdBefore) await connect(provider, { popup, account })
      return sendWithRetry()
    }
  }

  async function begin(provider: string, options: SignInOptions, known?: Connection[]): Promise<PendingSignIn> {
    const { returnTo, account, scopes, parameters, loginHint } = options
    if (token) return callWhenComplete('POST', `auth/${segment(provider)}`, { returnTo, account, scopes, parameters, loginHint })
    const list = known ?? (await knownConnections())
    const entry = list.find(isOf(provider))
    if (list[0] && !entry) throw errorFor('provider_unknown', provider, 'No such provider')
    const query = { ...parameters, return_to: returnTo, account, scopes: scopes?.join(' '), login_hint: loginHint }
    // Nothing is left to choose or to ask.
    const isAnswered = parameters && String(entry?.methods) === 'oauth2'
    return { url: withQuery((!isAnswered && entry?.connectUrl) || `${base}/auth/${segment(provider)}`, query) }
  }

  async function connect(provider: string, options: ConnectOptions = {}): Promise<Connection> {
    if (!globalThis.document)
      throw new TypeError('connect needs a page in a browser. Without one, open the URL of begin, then call complete')
    if (!options.popup) return redirect(provider, options)
    // Single flight: concurrent callers share one popup.
    const key = `${provider} ${options.account}`
    const shared = popups.get(key) ?? connectInPopup(provider, key, options).finally(() => popups.delete(key))
    popups.set(key, shared)
    return shared
  }

  const redirect = async (provider: string, options: ConnectOptions) =>
    leaveFor((await begin(provider, { ...options, returnTo: options.returnTo ?? thisPage() })).url, provider)

  const login = (loginUrl = `${base}/login`) => leaveFor(withQuery(loginUrl, { return_to: thisPage() }))

  async function connectInPopup(provider: string, key: string, options: ConnectOptions): Promise<Connection> {
    // Before any await: browsers open popups only during a user gesture.
    const popup = open('', '', 'popup,width=520,height=720')
    if (!popup) throw errorFor('popup_blocked', provider)
    try {
      const before = token ? [] : await knownConnections()
      const id = String(Math.random())
      // Only a page of this origin is needed that creates a client, and the gateway limits the length of URLs.
      const returnTo = token && withQuery(options.returnTo ?? location.origin + location.pathname, { connect_popup: id })
      const end = withQuery(`${base}/popup`, { opener: location.origin, provider, return_to: returnTo })
      const { url } = await begin(provider, { ...options, returnTo: end }, before)
      popup.location.replace(url)
      const connection = await waitForConnection(popup, provider, before, id)
      created.set(key, connection)
      return connection
    } finally {
      popup.close()
    }
  }

  /**
   * Without `token`, the popup's message is a hint when to look, and why it failed. Polling the gateway decides, because the message may
   * never come. With `token`, it has the code that completes the sign-in. A popup that was cut off then comes back to this page's URL,
   * completes the sign-in there and sends the connection on the channel.
   */
  async function waitForConnection(popup: Window, provider: string, before: Connection[], id: string): Promise<Connection> {
    let message: PopupOutcome | undefined
    let wake = () => {}
    const receive = (data: PopupOutcome) => {
      message = data
      wake()
    }
    const onMessage = ({ origin, source, data }: MessageEvent) => {
      if (origin === new URL(base).origin && source === popup && data?.source === 'grantkeeper' && data.provider === provider) receive(data)
    }
    const channel = new BroadcastChannel('grantkeeper')
    channel.onmessage = ({ data }) => data.popup === id && receive(data)
    addEventListener('message', onMessage)
    try {
      const deadline = Date.now() + connectTimeoutMs
      for (let closedPolls = 0, unseenPolls = 0; Date.now() < deadline; ) {
        await new Promise<void>(resolve => {
          wake = resolve
          setTimeout(resolve, pollIntervalMs)
        })
        if (message?.error) throw errorFor(message.error, provider)
        if (message?.connection) return message.connection
        if (message?.code) return await completeAt(message.code)
        // A popup also looks closed when a provider's Cross-Origin-Opener-Policy cuts it off while the user is still in it. If this page
        // has the focus, the user is back. Two polls, because a callback may be in flight.
        closedPolls = popup.closed && document.hasFocus() ? closedPolls + 1 : 0
        const hadMessage = message
        const list = token ? [] : await knownConnections().catch(() => undefined)
        const isNew = (c: Connection) => !before.some(b => b.id === c.id && b.connectedAt === c.connectedAt)
        const connection = list?.filter(isOf(provider)).find(c => c.status === 'connected' && isNew(c))
        if (connection) return connection
        // The popup saw the connection, this page did not in two polls: its requests carry no cookie, or another one.
        unseenPolls = hadMessage && list ? unseenPolls + 1 : 0
        if (unseenPolls > 1) throw errorFor('cookies_blocked', provider, 'Connected, but the browser sends no cookie from here')
        if (list && !message && closedPolls > 1) throw errorFor('connect_abandoned', provider)
      }
      throw errorFor('connect_timeout', provider)
    } finally {
      removeEventListener('message', onMessage)
      channel.close()
    }
  }

  const completeAt = async (end: string): Promise<Connection> => {
    const error = resultIn(end, 'error')
    if (error) throw errorFor(error as ErrorCode, /[?&]provider=([\w-]+)/.exec(end)?.[1])
    return call('POST', 'connections/complete', { code: resultIn(end, 'code') ?? end })
  }

  /** Completes the sign-in with which this page was loaded. */
  function completePage(): Promise<Connection> | undefined {
    // In Node and React Native there is no page.
    const href = globalThis.location?.href
    if (resultIn(href, 'code') || resultIn(href, 'error')) {
      pageEnd = href
      history.replaceState(history.state, '', thisPage())
    }
    if (!pageEnd) return pageOutcome
    const end = pageEnd
    pageEnd = undefined
    pageOutcome = completeAt(end)
    pageOutcome.then(
      connection => tellOpener(end, { connection }),
      ({ code, status }: Partial<GrantkeeperError>) => {
        // The gateway has not seen the code, for example because the app has not signed the user in yet. The next request tries again.
        if (!status) pageEnd = end
        if (code && code !== 'user_required') tellOpener(end, { error: code })
      }
    )
    return pageOutcome
  }

  if (token) completePage()

  return {
    connections,
    connect,
    begin: (provider, options) => begin(provider, options),
    complete: (async (end?: string) => (end === undefined ? completePage() : completeAt(end))) as Client['complete'],
    login: () => login(),
    fetch: proxyFetch,
    disconnect: async (provider, { account } = {}) => {
      const path = account === undefined ? [provider] : [provider, account]
      await callWhenComplete('DELETE', `connections/${path.map(segment).join('/')}`)
    },
    refresh: (provider, { account } = {}) => callWhenComplete('POST', `connections/${segment(provider)}/refresh`, undefined, account),
    setDefault: async (provider, id) => {
      await callWhenComplete('PUT', `connections/${segment(provider)}/default`, { id })
    },
    choose: (provider, id, value) => callWhenComplete('PUT', `connections/${segment(provider)}/${segment(id)}/choice`, { value }),
    connectWithKey: (provider, key, { parameters, account } = {}) =>
      callWhenComplete('POST', `connections/${segment(provider)}`, {
        ...(typeof key === 'string' && !parameters ? { apiKey: key } : { fields: typeof key === 'string' ? { key } : key }),
        parameters,
        account
      }),
    invite: (provider, options = {}) => callWhenComplete('POST', `connections/${segment(provider)}/invitation`, options),
    link: async (provider, path, { expiresIn, ...options } = {}) => {
      const to = await target(provider, String(path), options)
      return callWhenComplete('POST', 'links', { provider, base: to.base, path: `/${to.path}`, expiresIn }, options.account)
    },
    logout: () => callWhenComplete('POST', 'logout')
  }
}

type Target = { account?: string | undefined; base?: string | undefined }
type BaseAndPath = { readonly base: string | undefined; readonly path: string }

const segment = encodeURIComponent

/** In a popup that was cut off from its opener: tells it the outcome, and closes. */
const tellOpener = (end: string, outcome: PopupOutcome) => {
  const popup = resultIn(end, 'popup')
  if (!popup) return
  const channel = new BroadcastChannel('grantkeeper')
  channel.postMessage({ popup, ...outcome })
  // The delay keeps this window alive until the message arrives.
  setTimeout(close, 300)
}

const isStream = ({ body }: RequestInit) => typeof ReadableStream === 'function' && body instanceof ReadableStream

/** A parameter that the end of a sign-in adds to a URL. */
const resultIn = (url: string | undefined, name: 'code' | 'error' | 'popup') =>
  new RegExp(`[?&]connect_${name}=([\\w.~-]+)`).exec(`${url}`)?.[1]

/** This page's URL without the end of an earlier sign-in. */
const thisPage = () =>
  location.href.replace(/([?&])(?:connect_(?:code|error|popup)=[^&#]*&?(?:provider=[^&#]*&?)?)+/, '$1').replace(/[?&](?=#|$)/, '')

/** Adds those parameters that are not `undefined`, before the fragment. */
const withQuery = (url: string, query: object) => {
  const added = new URLSearchParams(JSON.parse(JSON.stringify(query)))
  return url.replace(/(\?[^#]*)?(?=#|$)/, search => `${search ? `${search}&` : '?'}${added}`)
}

/** As a browser sends it. React Native has no `URL.canParse`. */
const normalized = (url: string) => {
  try {
    return new URL(url).href
  } catch {
    return ''
  }
}

/** Navigates away. The page is still alive only if the user comes back by the Back button (bfcache). */
const leaveFor = (url: string, provider?: string) => {
  location.assign(url)
  return new Promise<never>((_, reject) => {
    addEventListener('pageshow', ({ persisted }) => persisted && reject(errorFor('connect_abandoned', provider)))
  })
}

const errorFor = (code: ErrorCode, provider?: string, detail = `Not connected (${code})`, more?: Partial<Problem> & ErrorOptions) =>
  new GrantkeeperError({ code, provider, detail: provider ? `${provider}: ${detail}` : detail, ...more })
