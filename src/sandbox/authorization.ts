import { randomBytes } from 'node:crypto'
import type { Provider } from '../core/provider/definition.ts'
import { expand, type Variables } from '../core/provider/template.ts'
import { BoundedMap } from '../core/util/bounded-map.ts'
import { type AuthorizationRequest, readAuthorizationRequest } from './authorization-request.ts'
import type { SandboxClient } from './client.ts'
import { consentPage, errorPage, formPostPage } from './consent-page.ts'
import type { EndpointResponse } from './endpoint.ts'
import { defaultAccount, type Facts } from './facts.ts'
import type { PlayedRequest } from './played-request.ts'
import type { VendorState } from './state.ts'

type AuthorizationOptions = {
  readonly definition: Provider
  /** What the vendor's URLs begin with, with a slash at its end. */
  readonly prefix: string
  readonly client: SandboxClient
  readonly facts: Facts
  readonly state: VendorState
  readonly redirectUris: () => readonly string[]
  readonly issuer: string
  /** Whose data a grant gives access to, for the consent page. */
  readonly owner: string
}

/** An authorization code. A second use ends what the first has brought (RFC 6749 §4.1.2). */
export type Code = AuthorizationRequest & { readonly account: string; readonly expiresAtMs: number; grantId?: string }

export type Authorization = {
  authorize(request: PlayedRequest): EndpointResponse
  /** The consent page (GET), and the user's choice (POST). */
  consent(id: string, request: PlayedRequest): EndpointResponse
  findCode(code: string): Code | undefined
}

const interactionMs = 600_000
const codeMs = 60_000
const bound = { maxEntries: 10_000, order: 'fifo' } as const

/** A vendor's authorization endpoint, which shows the consent page for every request. */
export function createAuthorization(options: AuthorizationOptions): Authorization {
  const { definition, prefix, client, facts, state, redirectUris, issuer, owner } = options
  const { oauth2: method } = definition.methods
  const interactions = new BoundedMap<string, AuthorizationRequest & { readonly expiresAtMs: number }>(bound)
  const codes = new BoundedMap<string, Code>(bound)
  const failure = (status: number, reason: string): EndpointResponse => ({ status, ...errorPage(definition, reason) })

  /** RFC 6749 §4.1.2, in the URL or by a form. */
  function respond(
    request: Pick<AuthorizationRequest, 'redirectUri' | 'state'> & Partial<Pick<AuthorizationRequest, 'parameters'>>,
    result: Variables
  ): EndpointResponse {
    const iss = expand.url(issuer, request.parameters ?? {}, 'known')
    const params = { ...result, state: request.state, ...(!state.switches.omitIss && { iss }) }
    if (method?.responseMode === 'form_post') return { status: 200, ...formPostPage(definition, request.redirectUri, params) }
    const url = new URL(request.redirectUri)
    for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value)
    return { status: 303, headers: { location: url.href } }
  }

  function allow(request: AuthorizationRequest, form: URLSearchParams): EndpointResponse {
    const account = form.get('email') || defaultAccount
    const scopes = form.has('partly') ? request.scopes.filter(scope => form.getAll('scope').includes(scope)) : request.scopes
    const code = randomBytes(24).toString('base64url')
    codes.set(code, { ...request, scopes, account, expiresAtMs: Date.now() + codeMs })
    const values = facts.sentValues('oauth2', 'callback', account).map(([{ parameter = '' }, text]) => [parameter, text])
    return respond(request, { ...Object.fromEntries(values), code })
  }

  return {
    authorize(request) {
      if (!method) return failure(404, `${definition.title} has no sign-in.`)
      const result = readAuthorizationRequest(request, { definition, method, prefix, client, facts, redirectUris: redirectUris() })
      if ('reason' in result) return failure(400, result.reason)
      if ('error' in result) return respond(result, { error: result.error, error_description: result.description })
      const id = randomBytes(24).toString('base64url')
      interactions.set(id, { ...result, expiresAtMs: Date.now() + interactionMs })
      return { status: 303, headers: { location: `${prefix}_consent/${id}` } }
    },

    consent(id, { method: httpMethod, body }) {
      const interaction = interactions.get(id)
      // The page is from an old tab, or the choice was made before.
      if (!interaction || interaction.expiresAtMs <= Date.now()) return failure(400, 'This request for access has ended.')
      if (httpMethod !== 'POST') {
        const access = interaction.scopes.map(scope => ({ scope, text: sentence(method?.scopeTexts?.[scope] ?? scope) }))
        return { status: 200, ...consentPage({ vendor: definition, owner, access, email: defaultAccount }) }
      }
      interactions.evict(id)
      const form = new URLSearchParams(body.text)
      if (form.get('choice') === 'allow') return allow(interaction, form)
      return respond(interaction, { error: 'access_denied', error_description: 'The user denied the access' })
    },

    findCode: code => codes.get(code)
  }
}

const sentence = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1)
