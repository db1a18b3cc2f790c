import type { ConnectionView } from '../../core/connections/view.ts'
import type { Provider } from '../../core/provider/definition.ts'
import type { ConnectMethod } from '../connect-methods.ts'
import { type Html, html } from '../html.ts'
import { providerBadge, scopeList, time } from './elements.ts'

export type ConnectionCard = {
  provider: Provider
  view: ConnectionView
  connectMethods: readonly ConnectMethod[]
  /** When the user has to connect again. */
  endsAtMs: number | undefined
}

const statusText = { connected: 'Connected', reconnect_required: 'Access has ended', disconnected: 'Not connected' } as const

/** SVG paths: colour alone must not carry the status (WCAG 1.4.1). */
const statusIcon = { connected: 'm3.5 8.5 3 3 6-6.5', reconnect_required: 'M8 3.5v5.2m0 3.3v.5', disconnected: 'M4.5 8h7' } as const

const alternativeLabel = { oauth2: 'Sign in instead', api_key: 'Use a key instead' } as const

export function connectionCard({ provider, view, connectMethods, endsAtMs }: ConnectionCard): Html {
  const { status, title, provider: name } = view
  const [first, ...alternatives] = connectMethods
  return html`<li class="card" data-provider="${name}" data-status="${status}">
${providerBadge(provider)}
<div class="card-title">
<h2>${title}</h2>
<p class="status"><svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="${statusIcon[status]}"/></svg>${statusText[status]}</p>
</div>
<p class="description">${provider.description}</p>
<div class="card-body">
${status === 'disconnected' ? html`<p class="fine-print">${connectHint(provider, first)}</p>` : ''}
${status === 'reconnect_required' ? html`<p>${title} does not accept this ${view.method === 'api_key' ? 'key' : 'connection'} any more. Reconnect to go on using it.</p>${detailList(basicDetails(view))}` : ''}
${status === 'connected' ? html`${renewalFailure(view)}${detailList(allDetails(view, endsAtMs))}${missingScopesNotice(view)}` : ''}
</div>
<div class="actions">
<div class="buttons">
${first ? connectLink(status === 'disconnected' ? 'Connect' : 'Reconnect', title, first, view, status === 'connected' ? 'button secondary' : 'button') : ''}
${status === 'disconnected' ? '' : disconnectButton(view, provider)}
</div>
${status === 'connected' ? '' : alternatives.map(other => connectLink(alternativeLabel[other.method], `for ${title}`, other, view, 'link-button'))}
<button type="button" class="link-button" aria-label="Ask somebody else to connect ${title}" aria-haspopup="dialog" data-invite="/connections/${name}/invitation" data-title="${title}">Ask somebody else</button>
</div>
</li>
`
}

/** Explains failing requests. The user has nothing to do. */
const renewalFailure = ({ title, failingSince }: ConnectionView): Html | '' =>
  failingSince === undefined
    ? ''
    : html`<p>Renewing the access at ${title} has failed since ${time(failingSince)}. It is tried again by itself, and nothing is lost.</p>`

/** A link for both methods. For a key, `src/browser/connections.ts` opens the dialog named by `data-dialog` instead. */
const connectLink = (
  label: string,
  labelSuffix: string,
  { method, url }: ConnectMethod,
  { provider }: ConnectionView,
  className: string
): Html =>
  html`<a class="${className}" href="${url}" aria-label="${label} ${labelSuffix}"${method === 'api_key' ? html` data-dialog="key-dialog-${provider}"` : ''}>${label}</a>`

const missingScopesNotice = ({ missingScopes = [] }: ConnectionView): Html | string =>
  missingScopes.length === 0
    ? ''
    : html`<p>Not allowed: ${scopeList(missingScopes)}. Connect again to allow ${missingScopes.length > 1 ? 'them' : 'it'}.</p>`

function disconnectButton({ provider, title, method }: ConnectionView, { methods: { oauth2 } }: Provider): Html {
  const otherSessions =
    oauth2?.revokeUrl !== undefined && oauth2.revocation !== 'token'
      ? ` Other browsers and devices in which you connected the same ${title} account may be disconnected with it.`
      : ''
  const consequence =
    method === 'api_key'
      ? `The key itself stays good until you delete it at ${title}.`
      : `Nothing is deleted at ${title}, and you can connect again at any time.${otherSessions}`
  return html`<button type="button" class="secondary" aria-label="Disconnect ${title}" data-method="DELETE" data-path="/connections/${provider}" data-provider="${provider}" data-question="Disconnect ${title}?" data-consequence="The applications of this site can no longer use it. ${consequence}" data-success="${title} is disconnected.">Disconnect</button>`
}

/** What the user needs to connect by this method. */
function connectHint({ title, methods: { oauth2, apiKey } }: Provider, connectMethod: ConnectMethod | undefined): string {
  const isOAuth = connectMethod?.method === 'oauth2'
  const steps = isOAuth ? (oauth2?.help.steps ?? []) : [`You make a key at ${title} and paste it here.`]
  const plan = isOAuth ? oauth2?.help.plan : apiKey?.help.plan
  return [...steps, plan].filter(text => text !== undefined).join(' ')
}

type Row = readonly [name: string, value: string | Html | Html[] | undefined]

const basicDetails = ({ account, connectedAt, lastUsedAt }: ConnectionView): Row[] => [
  ['Account', account],
  ['Since', time(connectedAt)],
  ['Last used', time(lastUsedAt)]
]

/** Not `expiresAt`: an access token that is renewed expires every few hours, which needs no action of the user. */
const allDetails = (view: ConnectionView, endsAtMs: number | undefined): Row[] => [
  ...basicDetails(view),
  ['Ends', time(endsAtMs)],
  ['Connected by', view.method === 'api_key' ? 'Key' : undefined],
  ['Allowed', view.scopes?.length ? scopeList(view.scopes) : undefined]
]

const detailList = (rows: readonly Row[]): Html =>
  html`<dl>${rows.filter(([, value]) => value !== undefined).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`
