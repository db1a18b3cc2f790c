import type { IncomingMessage } from 'node:http'
import { SignJWT } from 'jose'
import type { Browser, Page } from 'playwright-core'
import type { Test } from 'tap'
import { type BrowserUser, blockThirdPartyCookies, newUser } from './chromium.ts'
import { type FakeProvider, startFakeProvider } from './fake-provider.ts'
import { freePort } from './free-port.ts'
import { clientPage, startFrontend } from './frontend.ts'
import { fourProviders, startGateway, startTestSandbox, type TestGateway } from './gateway.ts'
import { audience, bearerEnvironment } from './users.ts'

type FrontendPage = { html: string; status?: number; headers?: Record<string, string> }

export type BearerFrontendOptions = {
  /** Pages in addition to those with the client. */
  readonly pages?: Readonly<Record<string, (gatewayUrl: string) => FrontendPage>>
  /** Of every page. */
  readonly headers?: Record<string, string>
  /** Of the frontend. By default one below `.test`. */
  readonly host?: string
  /** `ALLOWED_ORIGINS` for the frontend's origin. By default, that origin. */
  readonly allowedOrigins?: (frontend: string) => string
}

/** What a request from a page of another site brought. */
type CrossSiteRequest = { readonly path: string; readonly cookie: string | undefined }

/** Source text of the options of a client that asks the frontend's own server for the token of whoever is signed in there. */
export const ownToken = `{ token: () => fetch('/token').then(response => (response.ok ? response.text() : undefined)) }`

/**
 * A gateway that accepts bearers, and a frontend on another site that signs its users in itself: `/sign-in?user=ada` is its sign-in, and
 * `/token` a JWT of the user. Any other path is a page with the client. Productboard is the sandbox's, Process Street a fake provider.
 */
export async function startBearerFrontend(t: Test, options: BearerFrontendOptions = {}) {
  const { pages = {}, headers = {}, host = 'app.frontend.test', allowedOrigins = origin => origin } = options
  const port = await freePort()
  const url = `http://localhost:${port}`
  const { secret, environment } = bearerEnvironment()

  /** So many of the next tokens have run out already. */
  const staleTokens = { left: 0 }
  const tokenOf = (user: string) => {
    const lifetimeSeconds = staleTokens.left > 0 ? -600 : 600
    staleTokens.left = Math.max(0, staleTokens.left - 1)
    const exp = Math.floor(Date.now() / 1000) + lifetimeSeconds
    return new SignJWT({ sub: user, aud: audience, exp }).setProtectedHeader({ alg: 'HS256' }).sign(secret)
  }

  async function pageAt(path: string, request: IncomingMessage): Promise<FrontendPage> {
    const { pathname, searchParams } = new URL(path, 'http://localhost')
    if (pathname === '/sign-in')
      return { html: '', status: 303, headers: { location: '/', 'set-cookie': `user=${searchParams.get('user')}` } }
    if (pathname === '/token') {
      const user = /(?:^|; )user=(\w+)/.exec(request.headers.cookie ?? '')?.[1]
      return user ? { html: await tokenOf(user), headers: { 'content-type': 'text/plain' } } : { html: '', status: 401 }
    }
    return pages[pathname]?.(url) ?? { html: clientPage(url, ownToken), headers }
  }

  const frontend = await startFrontend(t, pageAt, host)
  const provider = await startFakeProvider(t, 'PROCESS_STREET')
  const sandbox = await startTestSandbox(t, [port])
  const gateway = await startGateway(t, {
    port,
    sandbox,
    environment: { ...fourProviders, ...environment, ...provider.environment, ALLOWED_ORIGINS: allowedOrigins(frontend) }
  })
  const crossSite: CrossSiteRequest[] = []
  gateway.app.server.on('request', ({ url: path = '', headers: { cookie, ...received } }) => {
    if (received['sec-fetch-site'] === 'cross-site' && received['sec-fetch-mode'] !== 'navigate') crossSite.push({ path, cookie })
  })
  return { gateway, frontend, provider, sandbox, vendor: sandbox.vendor('productboard'), crossSite, staleTokens }
}

/** A user of the frontend, in a browser that sends no third-party cookies. The page is the frontend's first. */
export async function newFrontendUser(t: Test, browser: Browser, frontend: string, name: string): Promise<BrowserUser> {
  const user = await newUser(t, browser)
  await blockThirdPartyCookies(user.context)
  await signInAtFrontend(user.page, frontend, name)
  return user
}

/** As `name`, whoever was signed in before. */
export async function signInAtFrontend(page: Page, frontend: string, name: string): Promise<void> {
  await page.goto(`${frontend}/sign-in?user=${name}`)
  await page.getByText('Ready').waitFor()
}

/**
 * Puts a third-party cookie on the gateway's host, and requests something there from the open page.
 * @returns whether the browser sent the cookie
 */
export async function sendsThirdPartyCookies({ page, context }: BrowserUser, gateway: Pick<TestGateway, 'url' | 'app'>): Promise<boolean> {
  await context.addCookies([
    { name: 'third-party', value: 'sent', url: gateway.url.replace('http:', 'https:'), sameSite: 'None', secure: true }
  ])
  const received = Promise.withResolvers<boolean>()
  gateway.app.server.on('request', ({ url, headers }) => {
    if (url === '/health/live?probe') received.resolve(headers.cookie?.includes('third-party=sent') ?? false)
  })
  // The page may not read the response.
  await page.evaluate(`fetch('${gateway.url}/health/live?probe', { mode: 'no-cors', credentials: 'include' }).then(() => {}, () => {})`)
  return received.promise
}

/** Shows a page at which the user allows or denies. @param headers of that page */
export function showConsent(provider: FakeProvider, headers: Record<string, string> = {}): void {
  const { api } = provider
  provider.api = (seen, response, request) => {
    const { pathname, searchParams } = new URL(seen.url, provider.origin)
    if (pathname !== '/authorize') return api(seen, response, request)
    const back = (result: Record<string, string>) =>
      `${searchParams.get('redirect_uri')}?${new URLSearchParams({ ...result, state: searchParams.get('state') ?? '' })}`.replaceAll(
        '&',
        '&amp;'
      )
    response
      .writeHead(200, { 'content-type': 'text/html', ...headers })
      .end(
        `<!doctype html><title>Provider</title><a href="${back({ code: 'c' })}">Allow</a> <a href="${back({ error: 'access_denied' })}">Deny</a>`
      )
  }
}
