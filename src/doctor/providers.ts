import { randomBytes } from 'node:crypto'
import { variablePrefix } from '../config/variable-prefix.ts'
import { TokenEndpointError } from '../core/oauth/token-response.ts'
import type { OAuth2Method, OAuthClient, Provider, ProviderSettings } from '../core/provider/definition.ts'
import { guessesOf } from '../core/provider/guesses.ts'
import { baseUrlOf } from '../core/provider/map-templates.ts'
import { originOf } from '../core/provider/request-rules.ts'
import { isResolved } from '../core/provider/template.ts'
import { filledTemplate } from '../core/provider/text-rules.ts'
import { redact } from '../core/util/display-text.ts'
import { IssuerError } from '../identity/issuer-errors.ts'
import { createIssuerFetch } from '../identity/issuer-fetch.ts'
import { createOAuthProvider } from '../oauth2/oauth-provider.ts'
import type { DoctorContext } from './context.ts'
import type { Check, Reporter } from './finding.ts'
import { reportOrigin } from './origins.ts'

const timeoutMs = 4_000

/** For each provider that is offered: its definition, its hosts, its API, and whether it knows the operator's client. */
export function providerChecks(context: DoctorContext): Check[] {
  const { settings, problems } = context
  if (settings.providers.size > 0) return [...settings.providers.values()].flatMap(provider => checksOf(provider, context))
  return [
    {
      area: 'providers',
      subject: 'offered',
      run(report) {
        if (!settings.production) report.ok('none is configured: the sandbox of a start plays them')
        else if (problems.length > 0)
          report.warning('none could be read', 'Cure the findings about the configuration, then run the check again.')
      }
    }
  ]
}

function checksOf(provider: ProviderSettings, context: DoctorContext): Check[] {
  const { definition, client } = provider
  const { oauth2 } = definition.methods
  const check = (run: Check['run']): Check => ({ area: 'providers', subject: definition.title, run })
  const apiOrigin = originOf(definition.api.baseUrl)
  const origins = [...originsOf(definition, client)]
  return [
    check(report => {
      reportDefinition(report, provider)
      for (const [origin] of origins.filter(([origin]) => !isResolved(origin)))
        report.ok(`${origin} depends on the user, and is not looked up here`)
    }),
    ...origins
      .filter(([origin]) => isResolved(origin))
      .map(([origin, variable]) =>
        check(async (report, signal) => {
          const about = report.about(`${definition.title}: ${origin}`)
          const isReachable = await reportOrigin(about, origin, { ...context, variable, signal })
          if (isReachable && origin === apiOrigin) await reportApi(about, definition, context, signal)
        })
      ),
    ...(client && oauth2 ? [check(report => reportClient(report, { definition, method: oauth2, client, context }))] : [])
  ]
}

function reportDefinition(report: Reporter, { definition, client }: ProviderSettings): void {
  report.ok(`is offered ${[...(client ? ['with OAuth'] : []), ...(definition.methods.apiKey ? ['with API keys'] : [])].join(' and ')}`)
  const guesses = guessesOf(definition)
  if (guesses.length > 0)
    report.warning(
      `these facts of its definition come from tutorials alone: ${guesses.join('; ')}`,
      'Try a sign-in, a request and a renewal before your users do; docs/adding-a-provider.md says what to look at.'
    )
}

/** Each origin once, with the variable that sets it. One with an expression in its host is a template. */
function originsOf(definition: Provider, client: OAuthClient | undefined): Map<string, string> {
  const { oauth2 } = definition.methods
  const urls: ReadonlyArray<readonly [suffix: string, url: string | undefined]> = [
    ['API_URL', definition.api.baseUrl],
    ...Object.values(definition.api.bases ?? {}).map(base => ['API_URL', baseUrlOf(base)] as const),
    ...(client && oauth2
      ? ([
          ['AUTHORIZE_URL', oauth2.authorizeUrl],
          ['TOKEN_URL', oauth2.tokenUrl],
          ['REFRESH_URL', oauth2.refreshUrl],
          ['REVOKE_URL', oauth2.revokeUrl]
        ] as const)
      : [])
  ]
  const origins = new Map<string, string>()
  for (const [suffix, url] of urls) {
    const origin = url === undefined ? undefined : originOf(url)
    if (origin !== undefined && !origins.has(origin)) origins.set(origin, `${variablePrefix(definition)}_${suffix}`)
  }
  return origins
}

type ClientOptions = {
  readonly definition: Provider
  readonly method: OAuth2Method
  readonly client: OAuthClient
  readonly context: DoctorContext
}

/** Exchanges an authorization code that was never issued: the refusal tells whether the client or the code is what is wrong. */
async function reportClient(report: Reporter, { definition, method, client, context }: ClientOptions): Promise<void> {
  const { lookupFor, settings } = context
  const fromCallback = Object.values(method.values ?? {}).some(({ from }) => from === 'callback')
  if (fromCallback || !isResolved(method.tokenUrl))
    return report.ok('its client is not tried here: the token endpoint, or what it is told, depends on the user')
  const prefix = variablePrefix(definition)
  const timeouts = { exchangeMs: timeoutMs, refreshMs: timeoutMs }
  const { tokenEndpoint, redirectUri } = createOAuthProvider({
    definition,
    method,
    client,
    publicUrl: settings.publicUrl,
    lookupFor,
    timeouts
  })
  try {
    const code = `grantkeeper-check-${randomBytes(12).toString('hex')}`
    await tokenEndpoint.exchange({ code, redirectUri, codeVerifier: randomBytes(32).toString('base64url') })
    report.warning('its token endpoint accepted a code that was never issued', `Look whether ${prefix}_TOKEN_URL is the real one.`)
  } catch (error) {
    if (!(error instanceof TokenEndpointError)) throw error
    reportRefusal(report, error, { prefix, client, redirectUri })
  }
}

type RefusalOptions = { readonly prefix: string; readonly client: OAuthClient; readonly redirectUri: string }

function reportRefusal(report: Reporter, error: TokenEndpointError, { prefix, client, redirectUri }: RefusalOptions): void {
  const { details, reason, kind } = error
  const { status } = details
  const words = wordsOf(error, client)
  // Before the code is looked at, the client must have been accepted (RFC 6749 §4.1.3).
  if (error.isInvalidGrant || (reason === 'invalid_request' && /\bcode\b/i.test(words)))
    report.ok('accepts its client: the token endpoint refused a made-up code, and not the client')
  else if (error.isClientRejected || status === 401)
    report.error(
      `refuses its client: ${words}`,
      `Copy ${prefix}_CLIENT_ID and ${prefix}_CLIENT_SECRET again from the provider’s page about your app, and look there whether the app is active.`
    )
  else if (/redirect.?ur[il]/i.test(words))
    report.warning(`refuses the redirect address: ${words}`, `Register exactly ${redirectUri} at the provider.`)
  else if (status === 404 || status === 405)
    report.error(
      `has no token endpoint at its token URL: ${words}`,
      `Set ${prefix}_TOKEN_URL to the token endpoint that the provider documents.`
    )
  else if (kind === 'unavailable' || kind === 'timeout')
    report.warning(
      `whether its client is accepted cannot be told: ${words}`,
      'Cure what is found about its host, or wait until the provider is well, and run the check again.'
    )
  else
    report.warning(
      `whether its client is accepted cannot be told: ${words}`,
      `Sign in once, as a user does: a wrong secret shows then. If that fails too, look whether ${prefix}_TOKEN_URL is right.`
    )
}

/** The provider's own, as a log may have them, or ours. */
function wordsOf({ details, reason, message }: TokenEndpointError, client: OAuthClient): string {
  const theirs = [details.code ?? reason, details.description].filter(word => word !== undefined).join(', ')
  const text = details.status === undefined || theirs === '' ? message : `${details.status} ${theirs}`
  return redact(text, client.secret ? [client.secret.reveal()] : []) ?? 'no reason'
}

/** Without a credential most APIs refuse: any status will do but those of a proxy in front of nothing. */
async function reportApi(report: Reporter, { api }: Provider, { lookupFor }: DoctorContext, signal: AbortSignal): Promise<void> {
  const fetch = createIssuerFetch({ lookupFor, timeoutMs })
  try {
    const { status } = await fetch(filledTemplate(api.baseUrl, 'url') ?? api.baseUrl, { what: 'the API', method: 'HEAD', signal })
    if (status >= 502 && status <= 504)
      report.warning(`its API responds with ${status}`, 'Look at the provider’s status page, and run the check again.')
    else report.ok(`its API responds (${status})`)
  } catch (error) {
    if (!(error instanceof IssuerError)) throw error
    // A response, if one that may have no body.
    if (error.status !== undefined) report.ok(`its API responds (${error.status})`)
    else
      report.warning(
        `its API accepts a connection and sends no HTTP response (${error.code ?? error.message})`,
        'Look at the provider’s status page, and run the check again.'
      )
  }
}
