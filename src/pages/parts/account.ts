import type { ConnectionView } from '../../core/connections/view.ts'
import type { Provider } from '../../core/provider/definition.ts'
import type { ConnectMethod } from '../connect-methods.ts'
import type { PageContext } from '../context.ts'
import { type Html, html } from '../html.ts'
import { scopeList, time } from './elements.ts'

/** One account on a card; disconnected for a provider without any. */
export type Account = {
  view: ConnectionView
  connectMethods: readonly ConnectMethod[]
  /** When the user has to connect again. */
  endsAtMs: number | undefined
}

const statusText = { connected: 'Connected', reconnect_required: 'Access has ended', disconnected: 'Not connected' } as const

/** SVG paths: colour alone must not carry the status (WCAG 1.4.1). */
const statusIcon = { connected: 'm3.5 8.5 3 3 6-6.5', reconnect_required: 'M8 3.5v5.2m0 3.3v.5', disconnected: 'M4.5 8h7' } as const

export const statusMark = (status: ConnectionView['status']): Html =>
  html`<p class="status"><svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="${statusIcon[status]}"/></svg>${statusText[status]}</p>`

/** What there is to know of a connection. @param hasName whether its heading names the account */
export function accountBody({ view, endsAtMs }: Account, { hasName }: { readonly hasName: boolean }): Html {
  const { status, title, method } = view
  if (status === 'reconnect_required')
    return html`<p>${title} does not accept this ${method === 'api_key' ? 'key' : 'connection'} any more. Reconnect to go on using it.</p>${detailList(basicDetails(view, hasName))}`
  return html`${renewalFailure(view)}${detailList(allDetails(view, endsAtMs, hasName))}${missingScopesNotice(view)}`
}

/** Explains failing requests. The user has nothing to do. */
const renewalFailure = ({ title, failingSince }: ConnectionView): Html | '' =>
  failingSince === undefined
    ? ''
    : html`<p>Renewing the access at ${title} has failed since ${time(failingSince)}. It is tried again by itself, and nothing is lost.</p>`

const missingScopesNotice = ({ missingScopes = [] }: ConnectionView): Html | string =>
  missingScopes.length === 0
    ? ''
    : html`<p>Not allowed: ${scopeList(missingScopes)}. Connect again to allow ${missingScopes.length > 1 ? 'them' : 'it'}.</p>`

type ConnectLinkOptions = {
  readonly label: string
  /** Follows the label in the accessible name, which tells the links of a page apart. */
  readonly of: string
  /** Which account the connection replaces, where there are several. */
  readonly account?: string
  readonly className: string
}

/** A link for both methods. For a key, `src/browser/connections.ts` opens the dialog named by `data-dialog` instead. */
export function connectLink(
  { method, url, account }: ConnectMethod,
  { provider, title }: ConnectionView,
  options: ConnectLinkOptions
): Html {
  const { label, of, className } = options
  const note =
    account === 'add'
      ? `This is added to the ${title} that is connected already, and changes nothing about it.`
      : options.account && `The key takes the place of ${options.account}.`
  const dialog = html` data-dialog="key-dialog-${provider}"${account && html` data-account="${account}"`}${note && html` data-note="${note}"`}`
  return html`<a class="${className}" href="${url}" aria-label="${label} ${of}"${method === 'api_key' ? dialog : ''}>${label}</a>`
}

/** @param of as in `ConnectLinkOptions` */
export function disconnectButton(
  { path }: PageContext,
  { id, provider, title, method }: ConnectionView,
  { methods: { oauth2 } }: Provider,
  of: string
): Html {
  const otherSessions =
    oauth2?.revokeUrl !== undefined && oauth2.revocation !== 'token'
      ? ` Other browsers and devices in which you connected the same ${title} account may be disconnected with it.`
      : ''
  const consequence =
    method === 'api_key'
      ? `The key itself stays good until you delete it at ${title}.`
      : `Nothing is deleted at ${title}, and you can connect again at any time.${otherSessions}`
  return html`<button type="button" class="secondary" aria-label="Disconnect ${of}" data-method="DELETE" data-path="${path(`/connections/${provider}/${id}`)}" data-provider="${provider}" data-question="Disconnect ${of}?" data-consequence="The applications of this site can no longer use it. ${consequence}" data-success="${of} is disconnected.">Disconnect</button>`
}

/** Nothing is lost by it, so it asks no question. */
export const makeDefaultButton = ({ path }: PageContext, { id, provider, title }: ConnectionView, label: string): Html =>
  html`<button type="button" class="link-button" aria-label="Make default: ${title}, ${label}" data-method="PUT" data-path="${path(`/connections/${provider}/default`)}" data-body="${JSON.stringify({ id })}" data-provider="${provider}" data-account="${id}" data-success="Applications that ask for no account use ${label} of ${title} now.">Make default</button>`

type InviteButtonOptions = {
  /** What somebody else is asked to connect. */
  readonly of: string
  /** `add`, or the id of the connection that the invited person's replaces. */
  readonly account: string | undefined
  /** The user may choose to add an account instead. */
  readonly canAdd: boolean
}

/** Opens the dialog of `invitations.ts`. */
export const inviteButton = ({ path }: PageContext, { provider }: ConnectionView, { of, account, canAdd }: InviteButtonOptions): Html =>
  html`<button type="button" class="link-button" aria-label="Ask somebody else to connect ${of}" aria-haspopup="dialog" data-invite="${path(`/connections/${provider}/invitation`)}" data-title="${of}"${account && html` data-account="${account}"`}${canAdd ? html` data-can-add` : ''}>Ask somebody else</button>`

type Row = readonly [name: string, value: string | Html | Html[] | undefined]

const basicDetails = ({ account, connectedAt, lastUsedAt }: ConnectionView, hasName: boolean): Row[] => [
  ['Account', hasName ? undefined : account],
  ['Since', time(connectedAt)],
  ['Last used', time(lastUsedAt)]
]

/** Not `expiresAt`: an access token that is renewed expires every few hours, which needs no action of the user. */
const allDetails = (view: ConnectionView, endsAtMs: number | undefined, hasName: boolean): Row[] => [
  ...basicDetails(view, hasName),
  ['Ends', time(endsAtMs)],
  ['Connected by', makerOf(view)],
  ['Allowed', view.scopes?.length ? scopeList(view.scopes) : undefined]
]

function makerOf({ method, connectedBy }: ConnectionView): string | Html | undefined {
  if (connectedBy === undefined) return method === 'api_key' ? 'Key' : undefined
  return html`<bdi>${connectedBy}</bdi>${method === 'api_key' ? ', with a key' : ''}`
}

const detailList = (rows: readonly Row[]): Html =>
  html`<dl>${rows.filter(([, value]) => value !== undefined).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`
