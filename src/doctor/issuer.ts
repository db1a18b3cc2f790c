import type { ServerMetadata } from 'openid-client'
import { GatewayError, hasCode } from '../core/errors.ts'
import { createEvents } from '../core/events.ts'
import type { LoginConfig } from '../core/users/login-config.ts'
import { createLoginFlow } from '../core/users/login-flow.ts'
import { IssuerError } from '../identity/issuer-errors.ts'
import { createIssuerFetch, fetchJson, type IssuerFetch } from '../identity/issuer-fetch.ts'
import { fetchMetadata, idTokenAlgorithms } from '../identity/issuer-metadata.ts'
import { createLoginClient } from '../identity/login-client.ts'
import { parseKeySet } from '../identity/verification-keys.ts'
import { reportClockSkew } from './clock-skew.ts'
import type { DoctorContext } from './context.ts'
import type { Check, Reporter } from './finding.ts'
import { reportFailure } from './origins.ts'

const timeoutMs = 4_000
/** The Date header of HTTP has whole seconds, and is written some time before it arrives. */
const dateResolutionMs = 2_000

/** The identity provider, at which users sign in or whose tokens are accepted. Both are the same. */
export function issuerChecks(context: DoctorContext): Check[] {
  const { login, bearer } = context.settings
  const jwtKeys = bearer.jwt?.keys.kind === 'issuer' ? bearer.jwt.keys : undefined
  const issuer = login?.issuer ?? jwtKeys?.issuer
  if (issuer === undefined) return []
  const variable = login ? 'LOGIN_ISSUER' : 'JWT_ISSUER'
  return [
    {
      area: 'issuer',
      subject: issuer,
      run: (report, signal) => reportIssuer(report, { issuer, variable, login, jwksUrl: jwtKeys?.jwksUrl, context, signal })
    },
    ...(login ? [{ area: 'issuer', subject: issuer, run: (report: Reporter) => reportLoginClient(report, login, context) } as const] : [])
  ]
}

type IssuerOptions = {
  readonly issuer: string
  /** That names it. */
  readonly variable: string
  readonly login: LoginConfig | undefined
  readonly jwksUrl: string | undefined
  readonly context: DoctorContext
  readonly signal: AbortSignal
}

async function reportIssuer(report: Reporter, { issuer, variable, login, jwksUrl, context, signal }: IssuerOptions): Promise<void> {
  const { lookupFor, clock } = context
  const inner = createIssuerFetch({ lookupFor, timeoutMs })
  let date: { readonly otherMs: number; readonly ownMs: number } | undefined
  const fetch: IssuerFetch = async (url, options) => {
    const response = await inner(url, options)
    const otherMs = Date.parse(response.headers.date ?? '')
    if (!Number.isNaN(otherMs)) date = { otherMs, ownMs: clock.now() }
    return response
  }
  const requiredEndpoints = [...(login ? ['authorization_endpoint', 'token_endpoint'] : []), ...(jwksUrl === undefined ? ['jwks_uri'] : [])]
  // Without sign-in, and with the URL of the keys, metadata are never fetched.
  const needsMetadata = requiredEndpoints.length > 0
  const metadata = needsMetadata
    ? await fetchMetadata({ issuer, requiredEndpoints, fetch, signal }).catch(error => {
        reportIssuerFailure(report, error, { variable, context, cures: documentCures(variable) })
        return undefined
      })
    : undefined
  if (metadata) reportMetadata(report, metadata, login)
  const keysUrl = jwksUrl ?? metadata?.jwks_uri
  if (keysUrl !== undefined)
    await reportKeys(report, { url: keysUrl, fetch, signal, context, variable: jwksUrl === undefined ? variable : 'JWT_JWKS_URL' })
  if (date) reportClockSkew(report, { ...date, resolutionMs: dateResolutionMs })
}

function reportMetadata(report: Reporter, metadata: ServerMetadata, login: LoginConfig | undefined): void {
  report.ok('has a discovery document, and is the issuer that it names')
  if (!login) return
  if (idTokenAlgorithms(metadata).length === 0)
    report.error(
      'signs id tokens with no algorithm that is accepted',
      'Let it sign with RS256, ES256 or EdDSA: a setting of your client there.'
    )
  report.ok(
    metadata.end_session_endpoint === undefined
      ? 'has no end-session endpoint: a sign-out here leaves its own session open'
      : 'ends its own session at a sign-out (end_session_endpoint)'
  )
  report.ok(
    metadata.backchannel_logout_supported === true
      ? 'can end sessions here (back-channel logout)'
      : 'does not announce back-channel logout: sessions here end by SESSION_IDLE and SESSION_MAX'
  )
}

type KeysOptions = Pick<IssuerOptions, 'variable' | 'context' | 'signal'> & { readonly url: string; readonly fetch: IssuerFetch }

async function reportKeys(report: Reporter, { url, fetch, signal, variable, context }: KeysOptions): Promise<void> {
  try {
    const keys = parseKeySet(await fetchJson(fetch, url, { what: 'the key set', signal }))
    if (keys?.length) report.ok(`publishes ${keys.length === 1 ? 'one key' : `${keys.length} keys`} that can verify tokens`)
    else
      report.error(
        'publishes no key that can verify tokens',
        'Let it sign with RSA of 2048 bits or more, ECDSA or Ed25519; a key set with secrets or for encryption alone does not count.'
      )
  } catch (error) {
    const cure =
      variable === 'JWT_JWKS_URL'
        ? 'Correct JWT_JWKS_URL to what "jwks_uri" is in the discovery document of the issuer.'
        : 'Correct "jwks_uri" in its discovery document, or the document behind it.'
    reportIssuerFailure(report, error, { variable, context, cures: { status: cure, content: cure } })
  }
}

type FailureOptions = Pick<IssuerOptions, 'variable' | 'context'> & {
  /** Of a response with an unexpected status, and of one with unexpected content. */
  readonly cures: { readonly status: string; readonly content: string }
}

const documentCures = (variable: string): FailureOptions['cures'] => ({
  status: `Correct ${variable}: its path may be missing (/realms/NAME, /oauth2/default). The document is at ISSUER/.well-known/openid-configuration.`,
  content: `Set ${variable} to what "issuer" is in its discovery document, character by character; or correct that document.`
})

function reportIssuerFailure(report: Reporter, error: unknown, { variable, context, cures }: FailureOptions): void {
  if (!(error instanceof IssuerError)) throw error
  const { code, status, message } = error
  if (code !== undefined) reportFailure(report, code, { variables: context.variables, variable })
  else if (status !== undefined && status >= 500) report.warning(message, 'Look at its own log, and run the check again.')
  else report.error(message, status === undefined ? cures.content : cures.status)
}

/** Finishes a sign-in with a code that was never issued: the refusal tells whether the client or the code is what is wrong. */
async function reportLoginClient(report: Reporter, config: LoginConfig, { settings, lookupFor, clock }: DoctorContext): Promise<void> {
  const redirectUri = `${settings.publicUrl}/login/callback`
  const client = createLoginClient({ config, redirectUri, clock, events: createEvents(), lookupFor, fetchTimeoutMs: timeoutMs })
  const flow = createLoginFlow('/', clock.now())
  try {
    await client.complete(new URLSearchParams({ code: 'grantkeeper-check', state: flow.state, iss: config.issuer }), flow)
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    reportLoginRefusal(report, error)
  } finally {
    client.close()
  }
}

function reportLoginRefusal(report: Reporter, error: GatewayError): void {
  const cause = error.cause instanceof Error ? error.cause.message : ''
  const reason = /^This sign-in cannot be finished: (.+?)\. /.exec(error.message)?.[1] ?? cause
  if (hasCode(error, 'client_rejected'))
    report.error(
      `refuses LOGIN_CLIENT_ID or its secret: ${cause}`,
      'Copy LOGIN_CLIENT_ID and LOGIN_CLIENT_SECRET again from the page of your client there.'
    )
  else if (/did not accept the code/.test(reason)) report.ok('accepts LOGIN_CLIENT_ID: it refused a made-up code, and not the client')
  // That the discovery document cannot be fetched is told already.
  else if (hasCode(error, 'state_invalid') || /\btoken\b/.test(reason))
    report.warning(
      `whether it accepts LOGIN_CLIENT_ID cannot be told: ${reason}`,
      'Sign in once, as a user does: a wrong secret shows then. If that fails too, look at its token endpoint.'
    )
}
