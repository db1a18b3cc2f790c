import type { ConnectionView } from '../core/connections/view.ts'
import { retryUrl } from './connect-methods.ts'
import { type Html, html } from './html.ts'

/** How a sign-in ended, for the person who comes back from it. */
export type SignInResult = { kind: 'good' | 'bad'; title: string; text: Html }

const settings = 'Somebody who runs this site has to correct its settings; connecting again will not help until then.'
const later = 'It has a problem of its own just now. Wait a few minutes and connect again.'
const signInFirst = 'It wants you to sign in there first. Do that, then connect again.'

/** OAuth's error codes (RFC 6749 §4.1.2.1, §5.2; OpenID Connect Core §3.1.2.6) and our own, in words for who has never heard of OAuth. */
const reasons = new Map([
  [
    'access_denied',
    'The access was not allowed there. If that was a slip, connect again and choose Allow. Some accounts need an admin for it.'
  ],
  ['invalid_grant', 'It took too long, or was answered twice. Connect again.'],
  ['server_error', later],
  ['temporarily_unavailable', later],
  ['provider_unavailable', later],
  ['provider_timeout', 'It took too long to answer. Wait a few minutes and connect again.'],
  ['login_required', signInFirst],
  ['interaction_required', signInFirst],
  ['consent_required', signInFirst],
  ['account_selection_required', signInFirst],
  ['invalid_request', settings],
  ['invalid_client', settings],
  ['client_rejected', settings],
  ['invalid_scope', settings],
  ['unauthorized_client', settings],
  ['unsupported_grant_type', settings],
  ['unsupported_response_type', settings]
])

/** What an error code means for a person, and what to do. */
export const reasonFor = (code: string): string =>
  reasons.get(code) ?? 'It gave no reason. Connect again; if it goes on, ask who runs this site.'

/** @param code of `connect_error`: it comes from an address that anybody may have written, so it chooses words and is never shown. */
export function refusedResult(view: ConnectionView, code: string): SignInResult {
  const { title, status } = view
  const head = status === 'connected' ? `${title} stays connected as it was` : `${title} was not connected`
  const reason = reasonFor(code)
  const again = reason === settings ? undefined : html`<a href="${retryUrl(view)}">Try ${title} again</a>`
  return { kind: 'bad', title: head, text: html`<strong>${head}.</strong> ${reason} ${again}` }
}

/** Nothing, when the card says otherwise. */
export function connectedResult({ title, status, account }: ConnectionView): SignInResult | undefined {
  if (status !== 'connected') return undefined
  const head = `${title} is connected`
  return {
    kind: 'good',
    title: head,
    text: html`<strong>${head}${account && html` as <bdi>${account}</bdi>`}.</strong> The applications of this site can use it now.`
  }
}
