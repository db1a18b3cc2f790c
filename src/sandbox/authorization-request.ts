import type { OAuth2Method, Provider } from '../core/provider/definition.ts'
import type { Variables } from '../core/provider/template.ts'
import type { SandboxClient } from './client.ts'
import type { Facts } from './facts.ts'
import { addressOf, merge, type PlayedRequest, readAddress, readTemplates } from './played-request.ts'

/** What a valid authorization request asks for. */
export type AuthorizationRequest = {
  readonly redirectUri: string
  readonly state: string
  /** RFC 7636. */
  readonly challenge: string | undefined
  readonly scopes: readonly string[]
  /** What the user has given for the definition's parameters. */
  readonly parameters: Variables
}

/** What the client is told at its redirect URI (RFC 6749 §4.1.2.1). */
type ClientError = { readonly error: string; readonly description: string; readonly redirectUri: string; readonly state: string }

/** What only the user can be told, because the client or its redirect URI is not known. */
type UserError = { readonly reason: string }

type Context = {
  readonly definition: Provider
  readonly method: OAuth2Method
  readonly prefix: string
  readonly client: SandboxClient
  readonly facts: Facts
  readonly redirectUris: readonly string[]
}

/** RFC 6749 §4.1.1, in the form that the definition declares. */
export function readAuthorizationRequest(request: PlayedRequest, context: Context): AuthorizationRequest | ClientError | UserError {
  const { definition, method, client, redirectUris } = context
  const { clientIdParameter = 'client_id', scopeParameter = 'scope', scopeSeparator = ' ' } = method
  const { query } = request
  const redirectUri = query.get('redirect_uri') ?? ''
  if (query.get(clientIdParameter) !== client.id) return { reason: `invalid_client: ${clientIdParameter} is not that of the client` }
  if (!redirectUris.includes(redirectUri)) return { reason: 'invalid_request: redirect_uri is not registered' }

  const state = query.get('state') ?? ''
  const problem = formProblem(query, method)
  if (problem) return { ...problem, redirectUri, state }
  const invalid = (description: string) => ({ error: 'invalid_request', description, redirectUri, state })
  const found = readVariables(request, context)
  if ('problem' in found) return invalid(found.problem)
  const scopes = (query.get(scopeParameter) ?? '').split(scopeSeparator).filter(scope => scope !== '')
  const none = scopes.find(isNoScope)
  if (none !== undefined) return { ...invalid(`there is no scope ${none}`), error: 'invalid_scope' }
  const names = Object.keys(definition.parameters ?? {})
  const parameters = Object.fromEntries(Object.entries(found.variables).filter(([name]) => names.includes(name)))
  return { redirectUri, state, challenge: query.get('code_challenge') ?? undefined, scopes, parameters }
}

function formProblem(query: URLSearchParams, method: OAuth2Method): Pick<ClientError, 'error' | 'description'> | undefined {
  const { scopeParameter = 'scope', pkce = 'S256', responseMode } = method
  const invalid = (description: string) => ({ error: 'invalid_request', description })
  const twice = [...query.keys()].find(name => query.getAll(name).length > 1)
  if (twice !== undefined) return invalid(`${twice} is given twice`)
  if (query.get('response_type') !== 'code') return { error: 'unsupported_response_type', description: 'response_type must be code' }
  if (!query.get('state')) return invalid('state is missing')
  if (responseMode !== undefined && query.get('response_mode') !== responseMode) return invalid(`response_mode must be ${responseMode}`)
  if (scopeParameter !== 'scope' && query.has('scope')) return invalid(`scope has another name here: ${scopeParameter}`)
  const [challenge, challengeMethod] = [query.get('code_challenge'), query.get('code_challenge_method')]
  if (pkce === false) {
    if (challenge === null && challengeMethod === null) return undefined
    return { error: 'invalid_client', description: 'this vendor accepts no parameters of PKCE' }
  }
  // RFC 7636 §4.3: `plain` is the default.
  if ((challengeMethod ?? 'plain') !== pkce || !/^[\w.~-]{43,128}$/.test(challenge ?? ''))
    return invalid(`code_challenge is needed, with code_challenge_method ${pkce}`)
  return undefined
}

/** What stands for the expressions of the URL and its parameters. */
function readVariables(request: PlayedRequest, { method, prefix, facts }: Context) {
  const { authorizeUrl, authorizeParams = {} } = method
  const { query } = request
  const read = (name: string) => (name === 'prompt' ? promptOf(authorizeParams.prompt, query.get(name)) : query.get(name))
  const found = merge([
    readAddress(request, addressOf(authorizeUrl, prefix)) ?? { problem: 'there is nothing at this address' },
    readTemplates(Object.entries(authorizeParams), read, 'parameter')
  ])
  const problem = 'problem' in found ? found.problem : facts.problemIn(found.variables, undefined)
  return problem === undefined ? (found as { readonly variables: Variables }) : { problem }
}

/** A prompt is a list of words (OpenID Connect Core 1.0 §3.1.2.1), to which a client may add some. */
function promptOf(declared = '', given: string | null): string | null {
  const words = given?.split(' ') ?? []
  return declared.split(' ').every(word => words.includes(word)) ? declared : given
}

/** A mistake of programs that build a scope from what is not there. */
const isNoScope = (scope: string) => scope === 'undefined' || scope === 'null' || scope.startsWith('[object')
