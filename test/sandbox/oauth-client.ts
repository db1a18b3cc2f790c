import { createHash, randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { loadProviders } from '../../src/config/load-providers.ts'
import type { Provider } from '../../src/core/provider/definition.ts'
import { playedDefinition } from '../../src/core/provider/played-definition.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'

const definitions = await loadProviders()

/** A minimal browser: stores cookies by path, follows redirects inside the sandbox and submits forms. */
export function openBrowser(sandbox: Sandbox) {
  const jar = new Map<string, { value: string; path: string }>()

  async function visit(url: string, init: RequestInit = {}): Promise<Response> {
    const { pathname } = new URL(url)
    const cookie = [...jar]
      .filter(([, { path }]) => pathname.startsWith(path))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ')
    const response = await fetch(url, { redirect: 'manual', ...init, headers: { accept: 'text/html', cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = '', path = '/'] = /^([^=]+)=([^;]*).*?path=([^;]*)/i.exec(line) ?? []
      if (value) jar.set(name, { value, path })
      else jar.delete(name)
    }
    return response
  }

  /** Follows redirects to a page, or to the first URL outside the sandbox. */
  async function follow(response: Response): Promise<{ page?: Response; url: string }> {
    const location = response.headers.get('location')
    if (location === null) return { page: response, url: response.url }
    const next = new URL(location, response.url)
    return next.origin === sandbox.origin ? follow(await visit(next.href)) : { url: next.href }
  }

  return {
    visit,
    open: async (url: string) => follow(await visit(url)),
    submit: async (url: string, form: Record<string, string>) =>
      follow(await visit(url, { method: 'POST', body: new URLSearchParams(form) }))
  }
}

export const redirectUri = (vendor: string) => `http://localhost:3000/auth/${vendor}/callback`

/** The OAuth client of one vendor, in the place of the gateway. */
export function oauthClient(sandbox: Sandbox, vendor: string) {
  const verifier = randomBytes(32).toString('base64url')
  const setting = (name: string) => sandbox.environment[`${vendor.toUpperCase().replaceAll('-', '_')}_${name}`] ?? ''
  const { api, methods } = playedDefinition(definitions.find(({ name }) => name === vendor) as Provider, sandbox.origin)
  const { authorizeUrl = '', tokenUrl = '', revokeUrl = '' } = methods.oauth2 ?? {}
  const credentials = { client_id: setting('CLIENT_ID'), client_secret: setting('CLIENT_SECRET') }
  const isJson = methods.oauth2?.tokenRequestFormat === 'json'
  const post = (url: string, fields: Record<string, string>) => {
    const params = { ...credentials, ...fields }
    const json = { body: JSON.stringify(params), headers: { 'content-type': 'application/json' } }
    return fetch(url, { method: 'POST', ...(isJson ? json : { body: new URLSearchParams(params) }) })
  }

  const codeFields = (code: string) => ({
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri(vendor),
    code_verifier: verifier
  })

  return {
    credentials,
    codeFields,
    tokenUrl,
    apiUrl: api.baseUrl,
    authorizeUrl(change: Record<string, string | undefined> = {}) {
      const fields = {
        response_type: 'code',
        client_id: credentials.client_id,
        redirect_uri: redirectUri(vendor),
        state: 'the-state',
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
        ...change
      }
      const query = Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined)
      return `${authorizeUrl}?${new URLSearchParams(query)}`
    },
    exchange: (code: string) => post(tokenUrl, codeFields(code)),
    refresh: (refreshToken: string) => post(tokenUrl, { grant_type: 'refresh_token', refresh_token: refreshToken }),
    revoke: (token: string) => post(revokeUrl, { token }),
    request: (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) => fetch(api.baseUrl + path, { ...init, headers })
  }
}

export type Tokens = { access_token: string; refresh_token: string; expires_in: number; token_type: string; scope?: string }

/** Signs in as a user who allows everything, and exchanges the code. */
export async function connect(sandbox: Sandbox, vendor: string, scope?: string) {
  const app = oauthClient(sandbox, vendor)
  const code = await allow(sandbox, app.authorizeUrl({ scope }))
  const tokens = (await (await app.exchange(code)).json()) as Tokens
  return { app, tokens }
}

/** @returns the code that the callback gets after Allow */
export async function allow(sandbox: Sandbox, authorizeUrl: string): Promise<string> {
  const browser = openBrowser(sandbox)
  const { url } = await browser.open(authorizeUrl)
  const callback = await browser.submit(url, { email: 'ada@example.com', choice: 'allow' })
  return new URL(callback.url).searchParams.get('code') ?? ''
}

/** A signal that aborts with a TimeoutError once the request has arrived, whatever time that takes. */
export function abortWhen(hasArrived: () => boolean): AbortSignal {
  const controller = new AbortController()
  const abort = async () => {
    while (!hasArrived()) await setImmediate()
    controller.abort(new DOMException('', 'TimeoutError'))
  }
  void abort()
  return controller.signal
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
