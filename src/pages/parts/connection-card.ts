import type { ConnectionView } from '../../core/connections/view.ts'
import type { Provider } from '../../core/provider/provider.ts'
import type { ConnectMethod } from '../connect-methods.ts'
import { type Html, html } from '../html.ts'
import { providerBadge, scopeList, time } from './elements.ts'

export type Card = { provider: Provider; view: ConnectionView; connectMethods: readonly ConnectMethod[]; endsAtMs: number | undefined }

const statusText = { connected: 'Connected', reconnect_required: 'Access has ended', disconnected: 'Not connected' } as const

/** Drawn as well as written, and not by colour alone (WCAG 1.4.1). */
const statusSign = { connected: 'm3.5 8.5 3 3 6-6.5', reconnect_required: 'M8 3.5v5.2m0 3.3v.5', disconnected: 'M4.5 8h7' } as const

const instead = { oauth2: 'Sign in instead', api_key: 'Use a key instead' } as const

export function card({ provider, view, connectMethods, endsAtMs }: Card): Html {
  const { status, title, provider: name } = view
  const [first, ...others] = connectMethods
  return html`<li class="card" data-provider="${name}" data-status="${status}">
${providerBadge(provider)}
<div class="card-title">
<h2>${title}</h2>
<p class="status"><svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="${statusSign[status]}"/></svg>${statusText[status]}</p>
</div>
<p class="description">${provider.description}</p>
<div class="card-body">
${status === 'disconnected' ? html`<p class="fine-print">${expectation(provider, first)}</p>` : ''}
${status === 'reconnect_required' ? html`<p>${title} does not accept this ${view.method === 'api_key' ? 'key' : 'connection'} any more. Reconnect to go on using it.</p>${lastDetails(view)}` : ''}
${status === 'connected' ? html`${failing(view)}${details(view, endsAtMs)}${notAllowed(view)}` : ''}
</div>
<div class="actions">
<div class="buttons">
${first ? begin(status === 'disconnected' ? 'Connect' : 'Reconnect', title, first, view, status === 'connected' ? 'button secondary' : 'button') : ''}
${status === 'disconnected' ? '' : disconnect(view, provider)}
</div>
${status === 'connected' ? '' : others.map(way => begin(instead[way.method], `for ${title}`, way, view, 'link-button'))}
<button type="button" class="link-button" aria-label="Ask somebody else to connect ${title}" aria-haspopup="dialog" data-invite="/connections/${name}/invitation" data-title="${title}">Ask somebody else</button>
</div>
</li>
`
}

/** Nobody need do anything about it; but who wonders why calls fail is told. */
const failing = ({ title, failingSince }: ConnectionView): Html | '' =>
  failingSince === undefined
    ? ''
    : html`<p>Renewing the access at ${title} has failed since ${time(failingSince)}. It is tried again by itself, and nothing is lost.</p>`

/** A link either way: where a key is pasted, the page's script opens the dialog that it names. */
const begin = (label: string, what: string, { method, url }: ConnectMethod, { provider }: ConnectionView, look: string): Html =>
  html`<a class="${look}" href="${url}" aria-label="${label} ${what}"${method === 'api_key' ? html` data-dialog="key-dialog-${provider}"` : ''}>${label}</a>`

const notAllowed = ({ missingScopes = [] }: ConnectionView): Html | string =>
  missingScopes.length === 0
    ? ''
    : html`<p>Not allowed: ${scopeList(missingScopes)}. Connect again to allow ${missingScopes.length > 1 ? 'them' : 'it'}.</p>`

function disconnect({ provider, title, method }: ConnectionView, { methods: { oauth2 } }: Provider): Html {
  const others =
    oauth2?.revokeUrl !== undefined && oauth2.revocation !== 'token'
      ? ` Other browsers and devices in which you connected the same ${title} account may be disconnected with it.`
      : ''
  const after =
    method === 'api_key'
      ? `The key itself stays good until you delete it at ${title}.`
      : `Nothing is deleted at ${title}, and you can connect again at any time.${others}`
  return html`<button type="button" class="secondary" aria-label="Disconnect ${title}" data-method="DELETE" data-path="/connections/${provider}" data-provider="${provider}" data-question="Disconnect ${title}?" data-consequence="The applications of this site can no longer use it. ${after}" data-success="${title} is disconnected.">Disconnect</button>`
}

function expectation({ title, methods: { oauth2, apiKey } }: Provider, way: ConnectMethod | undefined): string {
  const steps = way?.method === 'oauth2' ? (oauth2?.help.steps ?? []) : [`You make a key at ${title} and paste it here.`]
  const plan = way?.method === 'oauth2' ? oauth2?.help.plan : apiKey?.help.plan
  return [...steps, plan].filter(text => text !== undefined).join(' ')
}

/**
 * What is known of a connection that works.
 *
 * @param endsAtMs when the person has to connect again. `expiresAt` is not it: an access token that renews itself ends every few
 * hours, and nobody has to do anything about it.
 */
function details(view: ConnectionView, endsAtMs: number | undefined): Html {
  const { scopes = [], method } = view
  return list([
    ...common(view),
    ['Ends', endsAtMs === undefined ? undefined : time(endsAtMs)],
    ['Connected by', method === 'api_key' ? 'Key' : undefined],
    ['Allowed', scopes.length > 0 ? scopeList(scopes) : undefined]
  ])
}

/** What is worth knowing of one that does not: with which account to connect again. */
const lastDetails = (view: ConnectionView): Html => list(common(view))

type Row = readonly [name: string, value: string | Html | Html[] | undefined]

const common = ({ account, connectedAt, lastUsedAt }: ConnectionView): Row[] => [
  ['Account', account],
  ['Since', time(connectedAt)],
  ['Last used', time(lastUsedAt)]
]

const list = (rows: readonly Row[]): Html =>
  html`<dl>${rows.filter(([, value]) => value !== undefined).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`
