import type { ConnectionView } from '../core/connections/view.ts'
import type { Site } from '../core/site.ts'
import { retryUrl } from './connect-methods.ts'
import { type Html, html } from './html.ts'

/** The message on the Connections page after a sign-in. */
export type SignInResult = { kind: 'success' | 'error'; title: string; text: Html }

const misconfigured = 'Somebody who runs this site has to correct its settings; connecting again will not help until then.'
const tryLater = 'It has a problem of its own just now. Wait a few minutes and connect again.'
const signInFirst = 'It wants you to sign in there first. Do that, then connect again.'

/** OAuth's error codes (RFC 6749 §4.1.2.1, §5.2; OpenID Connect Core §3.1.2.6) and our own, explained to users who do not know OAuth. */
const reasons = new Map([
  [
    'access_denied',
    'The access was not allowed there. If that was a slip, connect again and choose Allow. Some accounts need an admin for it.'
  ],
  ['invalid_grant', 'It took too long, or was answered twice. Connect again.'],
  ['server_error', tryLater],
  ['temporarily_unavailable', tryLater],
  ['provider_unavailable', tryLater],
  ['provider_timeout', 'It took too long to answer. Wait a few minutes and connect again.'],
  ['login_required', signInFirst],
  ['interaction_required', signInFirst],
  ['consent_required', signInFirst],
  ['account_selection_required', signInFirst],
  ['invalid_request', misconfigured],
  ['invalid_client', misconfigured],
  ['client_rejected', misconfigured],
  ['invalid_scope', misconfigured],
  ['unauthorized_client', misconfigured],
  ['unsupported_grant_type', misconfigured],
  ['unsupported_response_type', misconfigured]
])

/** What an error code means for the user, and what to do. */
export const reasonFor = (code: string): string =>
  reasons.get(code) ?? 'It gave no reason. Connect again; if it goes on, ask who runs this site.'

/**
 * @param code the untrusted query parameter `connect_error`: it selects a text and is never shown
 * @param account for which the sign-in was: `add`, or the id of a connection
 */
export function failedResult(view: ConnectionView, code: string, site: Site, account?: string): SignInResult {
  const { title, status } = view
  const isConnected = status === 'connected'
  const heading =
    account === 'add' && status !== 'disconnected'
      ? `No other ${title} account was connected`
      : `${title} ${isConnected ? 'stays connected as it was' : 'was not connected'}`
  const reason = reasonFor(code)
  const retryLink = reason === misconfigured ? undefined : html`<a href="${retryUrl(view, site, account)}">Try ${title} again</a>`
  return { kind: 'error', title: heading, text: html`<strong>${heading}.</strong> ${reason} ${retryLink}` }
}

/** @returns `undefined` if the provider is not connected: the URL alone proves nothing */
export function connectedResult({ title, status, account }: ConnectionView): SignInResult | undefined {
  if (status !== 'connected') return undefined
  const heading = `${title} is connected`
  return {
    kind: 'success',
    title: heading,
    text: html`<strong>${heading}${account && html` as <bdi>${account}</bdi>`}.</strong> The applications of this site can use it now.`
  }
}
