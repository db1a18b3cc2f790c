import { askedForMethod, type ConnectionView } from '../../core/connections/view.ts'
import type { Provider } from '../../core/provider/definition.ts'
import type { ConnectMethod } from '../connect-methods.ts'
import type { PageContext } from '../context.ts'
import { type Html, html } from '../html.ts'
import { scopeList, time } from './elements.ts'
import { shownValue } from './fields.ts'

/** One account on a card; disconnected for a provider without any. */
export type Account = {
  view: ConnectionView
  connectMethods: readonly ConnectMethod[]
  /** When the user has to connect again. */
  endsAtMs: number | undefined
}

/** SVG paths: colour alone must not carry the status (WCAG 1.4.1). */
const statusIcon = { connected: 'm3.5 8.5 3 3 6-6.5', reconnect_required: 'M8 3.5v5.2m0 3.3v.5', disconnected: 'M4.5 8h7' } as const

export const statusMark = ({ messages }: PageContext, status: ConnectionView['status']): Html =>
  html`<p class="status"><svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="${statusIcon[status]}"/></svg>${messages.account.status[status]}</p>`

/** What there is to know of a connection. @param hasName whether its heading names the account */
export function accountBody(
  context: PageContext,
  provider: Provider,
  { view, endsAtMs }: Account,
  { hasName }: { readonly hasName: boolean }
): Html {
  const { status, title, method } = view
  const texts = context.messages.account
  const basics = [...basicDetails(context, view, hasName), ...parameterRows(context, provider, view)]
  if (status === 'reconnect_required')
    return html`<p>${method === 'api_key' ? texts.keyEnded(title) : texts.connectionEnded(title)}</p>${detailList(basics)}`
  const { scopes = [], missingScopes = [] } = view
  const details: Row[] = [
    ...basics,
    // Not `expiresAt`: an access token that is renewed expires every few hours, which needs no action of the user.
    [texts.details.ends, time(context, endsAtMs)],
    [texts.details.connectedBy, makerOf(context, view)],
    [texts.details.allowed, scopes.length > 0 ? scopeList(context, provider, scopes) : undefined]
  ]
  const missing = missingScopes.length > 0 && texts.missingScopes(scopeList(context, provider, missingScopes), missingScopes.length)
  return html`${renewalFailure(context, view)}${detailList(details)}${missing ? html`<p>${missing}</p>` : ''}`
}

/** Explains failing requests. The user has nothing to do. */
const renewalFailure = (context: PageContext, { title, failingSince }: ConnectionView): Html | '' =>
  failingSince === undefined ? '' : html`<p>${context.messages.account.renewalFails(title, time(context, failingSince))}</p>`

type ConnectLinkOptions = {
  readonly control: PageContext['messages']['account']['connect']
  /** A service, or an account there: tells the links of a page apart. */
  readonly of: string
  /** Which account the connection replaces, where there are several. */
  readonly account?: string
  readonly className: string
}

/** A link for both methods. For a key, `src/browser/connections.ts` opens the dialog named by `data-dialog` instead. */
export function connectLink(
  { messages }: PageContext,
  { method, url, account }: ConnectMethod,
  { provider, title, parameters }: ConnectionView,
  options: ConnectLinkOptions
): Html {
  const { control, of, className } = options
  const note = account === 'add' ? messages.account.addNote(title) : options.account && messages.account.replaceNote(options.account)
  const values = account !== 'add' && parameters ? html` data-values="${JSON.stringify(parameters)}"` : ''
  const dialog = html` data-dialog="key-dialog-${provider}"${account && html` data-account="${account}"`}${note && html` data-note="${note}"`}${values}`
  return html`<a class="${className}" href="${url}" aria-label="${control.name(of)}"${method === 'api_key' ? dialog : ''}>${control.label}</a>`
}

export function disconnectButton(
  { path, messages, brand }: PageContext,
  { id, provider, title, method }: ConnectionView,
  { methods: { oauth2 } }: Provider,
  { of, className }: Pick<ConnectLinkOptions, 'of' | 'className'>
): Html {
  const texts = messages.account.disconnect
  const endsOthers = method === 'oauth2' && (oauth2?.revokeUrl ?? oauth2?.revokeRequest) !== undefined && oauth2?.revocation !== 'token'
  const consequence = method === 'api_key' ? texts.keyConsequence(title, brand.appName) : texts.consequence(title, brand.appName)
  return html`<button type="button" class="${className}" aria-label="${texts.name(of)}" data-method="DELETE" data-path="${path(`/connections/${provider}/${id}`)}" data-provider="${provider}" data-question="${texts.question(of)}" data-consequence="${consequence}${endsOthers ? ` ${texts.otherBrowsers(title)}` : ''}" data-success="${texts.success(of)}">${texts.label}</button>`
}

/** Nothing is lost by it, so it asks no question. */
export function makeDefaultButton({ path, messages }: PageContext, { id, provider, title }: ConnectionView, label: string): Html {
  const texts = messages.account.makeDefault
  return html`<button type="button" class="link-button" aria-label="${texts.name(messages.account.named(title, label))}" data-method="PUT" data-path="${path(`/connections/${provider}/default`)}" data-body="${JSON.stringify({ id })}" data-provider="${provider}" data-account="${id}" data-success="${texts.success(title, label)}">${texts.label}</button>`
}

type InviteButtonOptions = {
  /** What somebody else is asked to connect. */
  readonly of: string
  /** `add`, or the id of the connection that the invited person's replaces. */
  readonly account: string | undefined
  /** The user may choose to add an account instead. */
  readonly canAdd: boolean
}

/** Opens the dialog of `invitations.ts`. */
export function inviteButton({ path, messages }: PageContext, { provider }: ConnectionView, options: InviteButtonOptions): Html {
  const { of, account, canAdd } = options
  const { label, name } = messages.account.invite
  return html`<button type="button" class="link-button" aria-label="${name(of)}" aria-haspopup="dialog" data-invite="${path(`/connections/${provider}/invitation`)}" data-title="${of}"${account && html` data-account="${account}"`}${canAdd ? html` data-can-add` : ''}>${label}</button>`
}

type Row = readonly [name: string | Html, value: string | Html | undefined]

const basicDetails = (context: PageContext, { account, connectedAt, lastUsedAt }: ConnectionView, hasName: boolean): Row[] => {
  const texts = context.messages.account.details
  return [
    [texts.account, hasName ? undefined : account],
    [texts.since, time(context, connectedAt)],
    [texts.lastUsed, time(context, lastUsedAt)]
  ]
}

/** In the words of the definition, which are English. */
function parameterRows({ language }: PageContext, provider: Provider, { method, parameters = {} }: ConnectionView): Row[] {
  if (method === undefined) return []
  const lang = language === 'en' ? '' : html` lang="en"`
  return Object.entries(askedForMethod(provider, method)).flatMap(([name, parameter]) =>
    Object.hasOwn(parameters, name)
      ? [[html`<span${lang}>${parameter.title}</span>`, html`<bdi>${shownValue(parameter, parameters[name] as string)}</bdi>`] as const]
      : []
  )
}

function makerOf({ messages }: PageContext, { method, connectedBy }: ConnectionView): string | Html | undefined {
  const { key, withKey } = messages.account
  if (connectedBy === undefined) return method === 'api_key' ? key : undefined
  const maker = html`<bdi>${connectedBy}</bdi>`
  return method === 'api_key' ? withKey(maker) : maker
}

const detailList = (rows: readonly Row[]): Html =>
  html`<dl>${rows.filter(([, value]) => value !== undefined).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`
