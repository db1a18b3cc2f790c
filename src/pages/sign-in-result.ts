import type { ConnectionView } from '../core/connections/view.ts'
import { retryUrl } from './connect-methods.ts'
import type { PageContext } from './context.ts'
import { type Html, html } from './html.ts'
import type { Messages } from './messages/en.ts'
import { chosenOf } from './parts/choice.ts'

/** The message on the Connections page after a sign-in. */
export type SignInResult = { kind: 'success' | 'error'; title: string; text: Html }

type Reason = keyof Messages['reasons']

/** OAuth's error codes (RFC 6749 §4.1.2.1, §5.2; OpenID Connect Core §3.1.2.6) and our own. */
const reasons = new Map<string, Reason>([
  ['access_denied', 'denied'],
  ['invalid_grant', 'tooLate'],
  ['server_error', 'tryLater'],
  ['temporarily_unavailable', 'tryLater'],
  ['provider_unavailable', 'tryLater'],
  ['provider_timeout', 'timeout'],
  ['login_required', 'signInFirst'],
  ['interaction_required', 'signInFirst'],
  ['consent_required', 'signInFirst'],
  ['account_selection_required', 'signInFirst'],
  ['invalid_request', 'misconfigured'],
  ['invalid_client', 'misconfigured'],
  ['client_rejected', 'misconfigured'],
  ['invalid_scope', 'misconfigured'],
  ['unauthorized_client', 'misconfigured'],
  ['unsupported_grant_type', 'misconfigured'],
  ['unsupported_response_type', 'misconfigured']
])

const reasonOf = (code: string): Reason => reasons.get(code) ?? 'none'

/** What an error code means for the user, and what to do. */
export const reasonFor = ({ messages }: PageContext, code: string): string => messages.reasons[reasonOf(code)]

type FailedSignIn = {
  /** For which it was: `add`, or the id of a connection. */
  readonly account?: string | undefined
  /** The user is asked for parameters before another one. */
  readonly asksFirst?: boolean
}

/** @param code the untrusted query parameter `connect_error`: it selects a text and is never shown */
export function failedResult(context: PageContext, view: ConnectionView, code: string, signIn: FailedSignIn = {}): SignInResult {
  const { account } = signIn
  const { title, status } = view
  const texts = context.messages.result
  const heading =
    account === 'add' && status !== 'disconnected'
      ? texts.notAdded(title)
      : status === 'connected'
        ? texts.stays(title)
        : texts.notConnected(title)
  const canRetry = reasonOf(code) !== 'misconfigured'
  const retryLink = canRetry ? html`<a href="${retryUrl(view, context.site, signIn)}">${texts.retry(title)}</a>` : undefined
  return { kind: 'error', title: heading, text: html`<strong>${heading}.</strong> ${reasonFor(context, code)} ${retryLink}` }
}

/** Which of several things an account reaches is in use. */
export function choiceText({ messages, language }: PageContext, view: ConnectionView): Html | undefined {
  const chosen = chosenOf(view)
  const lang = language === 'en' ? '' : html` lang="en"`
  return chosen && messages.result.choice(html`<span${lang}>${chosen.title}</span>`, html`<bdi>${chosen.name}</bdi>`, chosen.count)
}

/** @returns `undefined` if the provider is not connected: the URL alone proves nothing */
export function connectedResult(context: PageContext, view: ConnectionView): SignInResult | undefined {
  const { title, status, account } = view
  if (status !== 'connected') return undefined
  const { messages, brand } = context
  const texts = messages.result
  const heading = texts.connected(title)
  return {
    kind: 'success',
    title: heading,
    text: html`<strong>${account === undefined ? heading : texts.connectedAs(title, html`<bdi>${account}</bdi>`)}.</strong> ${texts.usable(brand.appName)} ${choiceText(context, view)}`
  }
}
