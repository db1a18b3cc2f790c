import { createHash, randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'

/** A browser in miniature: keeps cookies by path, follows redirects inside the sandbox, and submits its one form. */
export function person(sandbox: Sandbox) {
  const jar = new Map<string, { value: string; path: string }>()

  async function visit(address: string, init: RequestInit = {}): Promise<Response> {
    const { pathname } = new URL(address)
    const cookie = [...jar]
      .filter(([, { path }]) => pathname.startsWith(path))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ')
    const response = await fetch(address, { redirect: 'manual', ...init, headers: { accept: 'text/html', cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = '', path = '/'] = /^([^=]+)=([^;]*).*?path=([^;]*)/i.exec(line) ?? []
      if (value) jar.set(name, { value, path })
      else jar.delete(name)
    }
    return response
  }

  /** Follows redirects until a page, or an address outside the sandbox. */
  async function follow(response: Response): Promise<{ page?: Response; address: string }> {
    const location = response.headers.get('location')
    if (location === null) return { page: response, address: response.url }
    const next = new URL(location, response.url)
    return next.origin === sandbox.origin ? follow(await visit(next.href)) : { address: next.href }
  }

  return {
    visit,
    open: async (address: string) => follow(await visit(address)),
    submit: async (address: string, form: Record<string, string>) =>
      follow(await visit(address, { method: 'POST', body: new URLSearchParams(form) }))
  }
}

export const redirectUri = (vendor: string) => `http://localhost:3000/auth/${vendor}/callback`

/** The gateway's side of one vendor's OAuth. */
export function client(sandbox: Sandbox, vendor: string) {
  const verifier = randomBytes(32).toString('base64url')
  const setting = (name: string) => sandbox.environment[`${vendor.toUpperCase().replaceAll('-', '_')}_${name}`] ?? ''
  const credentials = { client_id: setting('CLIENT_ID'), client_secret: setting('CLIENT_SECRET') }
  const post = (address: string, fields: Record<string, string>) =>
    fetch(address, { method: 'POST', body: new URLSearchParams({ ...credentials, ...fields }) })

  const codeFields = (code: string) => ({
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri(vendor),
    code_verifier: verifier
  })

  return {
    credentials,
    codeFields,
    tokenUrl: setting('TOKEN_URL'),
    apiUrl: setting('API_URL'),
    authorizeAddress(change: Record<string, string | undefined> = {}) {
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
      return `${setting('AUTHORIZE_URL')}?${new URLSearchParams(query)}`
    },
    exchange: (code: string) => post(setting('TOKEN_URL'), codeFields(code)),
    refresh: (refreshToken: string) => post(setting('TOKEN_URL'), { grant_type: 'refresh_token', refresh_token: refreshToken }),
    revoke: (token: string) => post(setting('REVOKE_URL'), { token }),
    call: (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
      fetch(setting('API_URL') + path, { ...init, headers })
  }
}

export type Tokens = { access_token: string; refresh_token: string; expires_in: number; token_type: string; scope?: string }

/** Signs in as a person who allows everything, and exchanges the code. */
export async function connect(sandbox: Sandbox, vendor: string, scope?: string) {
  const app = client(sandbox, vendor)
  const code = await allow(sandbox, app.authorizeAddress({ scope }))
  const tokens = (await (await app.exchange(code)).json()) as Tokens
  return { app, tokens }
}

/** @returns the code that the person's Allow brings to the callback. */
export async function allow(sandbox: Sandbox, authorizeAddress: string): Promise<string> {
  const someone = person(sandbox)
  const { address } = await someone.open(authorizeAddress)
  const done = await someone.submit(address, { email: 'ada@example.com', choice: 'allow' })
  return new URL(done.address).searchParams.get('code') ?? ''
}

/** A client's time limit that passes when its call has arrived, however long that takes. */
export function limitPast(hasArrived: () => boolean): AbortSignal {
  const limit = new AbortController()
  const pass = async () => {
    while (!hasArrived()) await setImmediate()
    limit.abort(new DOMException('', 'TimeoutError'))
  }
  void pass()
  return limit.signal
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
