import { createHash } from 'node:crypto'
import type { Test } from 'tap'
import { defineProvider } from '../../src/core/provider/define-provider.ts'
import type { ApiKeyMethod, OAuth2Method, Provider } from '../../src/core/provider/definition.ts'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { openBrowser } from './oauth-client.ts'

export const callback = 'http://localhost:3000/auth/acme/callback'
export const verifier = 'v'.repeat(43)
const challenge = createHash('sha256').update(verifier).digest('base64url')

const help = { steps: ['Acme asks you to allow the access.'] }

export const oauth2 = (method: Partial<OAuth2Method> = {}): OAuth2Method => ({
  authorizeUrl: 'https://acme.test/oauth/authorize',
  tokenUrl: 'https://acme.test/oauth/token',
  scopes: [],
  clientAuthentication: 'body',
  help,
  ...method
})

export const apiKey = (method: Partial<ApiKeyMethod> = {}): ApiKeyMethod => ({
  placements: [{ in: 'header', name: 'x-api-key' }],
  help,
  ...method
})

/** A definition with one quirk, and all else as plain as can be. */
export const acme = (quirk: Partial<Provider>): Provider =>
  defineProvider({
    name: 'acme',
    title: 'Acme',
    description: 'Everything',
    color: '#123456',
    api: { baseUrl: 'https://api.acme.test/v1' },
    methods: { oauth2: oauth2() },
    sources: [{ facts: 'all', from: 'this test', confidence: 'guide', checked: '2026-11-28' }],
    ...quirk
  })

export type Params = Record<string, string>

/** A sandbox with one vendor, and a client of it that sends what it is told. */
export async function play(t: Test, definition: Provider) {
  const sandbox = await startSandbox({ definitions: [definition], redirectUris: () => [callback] })
  t.teardown(() => sandbox.close())
  const vendor = sandbox.vendor('acme')
  const { id, secret = '' } = vendor.client
  const root = `${sandbox.origin}/acme`
  const authorizeUrl = `${root}/acme.test/oauth/authorize`
  const own = { client_id: id, client_secret: secret }

  /** Signs in as the user, who allows everything. @returns the parameters of the callback */
  async function authorize(
    change: Record<string, string | undefined> = {},
    { url = authorizeUrl, email = 'ada@example.com', form = {} } = {}
  ) {
    const params = {
      response_type: 'code',
      client_id: id,
      redirect_uri: callback,
      state: 'the-state',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...change
    }
    const query = Object.entries(params).filter((entry): entry is [string, string] => entry[1] !== undefined)
    const browser = openBrowser(sandbox)
    const opened = await browser.open(`${url}?${new URLSearchParams(query)}`)
    if (opened.page?.status !== 200) return { page: opened.page, params: new URL(opened.url).searchParams }
    const { page, url: ended } = await browser.submit(opened.url, { email, choice: 'allow', ...form })
    return { page, params: new URL(ended).searchParams }
  }

  const post = (url: string, params: Params, headers: Params = {}) =>
    fetch(url, { method: 'POST', body: new URLSearchParams(params), headers })

  const tokenUrl = `${root}/acme.test/oauth/token`
  const codeParams = (code: string) => ({ grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier })
  const exchange = (code: string, change: Params = {}) => post(tokenUrl, { ...own, ...codeParams(code), ...change })

  /** Signs in by the standard. */
  async function connect(email = 'ada@example.com') {
    const { params } = await authorize({}, { email })
    return json(await exchange(params.get('code') ?? ''))
  }

  const refresh = (token: string) => post(tokenUrl, { ...own, grant_type: 'refresh_token', refresh_token: token })
  const call = (path: string, headers: Params = {}, init: RequestInit = {}) => fetch(`${root}/${path}`, { ...init, headers })

  return { sandbox, vendor, root, own, authorize, post, tokenUrl, codeParams, exchange, connect, refresh, call }
}

// biome-ignore lint/suspicious/noExplicitAny: the tests assert the shape of the responses.
export const json = async (response: Response): Promise<any> => response.json()

export const bearer = (token: string): Params => ({ authorization: `Bearer ${token}` })
