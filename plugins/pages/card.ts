import type { ConnectionView } from '../../src/core/connection-view.ts'
import type { Provider } from '../../src/core/provider.ts'
import { type Html, html } from './html.ts'

export type Card = { provider: Provider; view: ConnectionView }

const statusText = { connected: 'Connected', reconnect_required: 'Access has ended', disconnected: 'Not connected' } as const

/** Drawn as well as written, and not by colour alone (WCAG 1.4.1). */
const statusSign = { connected: 'm3.5 8.5 3 3 6-6.5', reconnect_required: 'M8 3.5v5.2m0 3.3v.5', disconnected: 'M4.5 8h7' } as const

export function card({ provider, view }: Card): Html {
  const { status, title, provider: name } = view
  return html`<li class="card" data-provider="${name}" data-status="${status}">
<svg class="mark" width="44" height="44" viewBox="0 0 44 44" aria-hidden="true"><rect width="44" height="44" fill="${provider.color}"/><text x="22" y="30" text-anchor="middle" font-size="22" font-weight="700" fill="#fff">${title.slice(0, 1)}</text></svg>
<div class="name">
<h2>${title}</h2>
<p class="status"><svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="${statusSign[status]}"/></svg>${statusText[status]}</p>
</div>
<p class="about">${provider.description}</p>
<div class="more">
${status === 'disconnected' ? expectation(provider) : ''}
${status === 'reconnect_required' ? html`<p>${title} does not accept this connection any more. Reconnect to go on using it.</p>` : ''}
${status === 'connected' ? details(view) : ''}
</div>
<div class="actions">
${status === 'disconnected' ? connect('Connect', view, 'button') : connect('Reconnect', view, status === 'connected' ? 'button quiet' : 'button')}
${status === 'disconnected' ? '' : disconnect(view)}
</div>
</li>
`
}

function connect(label: string, view: ConnectionView, look: string): Html {
  return html`<a class="${look}" href="${connectAddress(view)}" aria-label="${label} ${view.title}">${label}</a>`
}

/** Absolute: a person who opened this page under another name of this host must begin where the cookies will be needed. */
export const connectAddress = ({ connectUrl, provider }: ConnectionView): string =>
  `${connectUrl}?return_to=${encodeURIComponent(`/?connected=${provider}`)}`

const disconnect = ({ provider, title }: ConnectionView): Html =>
  html`<button type="button" class="quiet" aria-label="Disconnect ${title}" data-method="DELETE" data-path="/connections/${provider}" data-provider="${provider}" data-question="Disconnect ${title}?" data-meaning="The applications of this site can no longer use it. Nothing is deleted at ${title}, and you can connect again at any time." data-done="${title} is disconnected.">Disconnect</button>`

function expectation({ methods: { oauth2 } }: Provider): Html {
  const { steps = [], plan } = oauth2?.help ?? {}
  return html`<p class="fine">${[...steps, plan].filter(text => text !== undefined).join(' ')}</p>`
}

function details({ account, connectedAt, lastUsedAt, scopes = [] }: ConnectionView): Html {
  const rows = [
    ['Account', account],
    ['Since', time(connectedAt)],
    ['Last used', time(lastUsedAt)],
    ['Allowed', scopes.length > 0 ? scopes.map((scope, i) => html`${i > 0 ? ', ' : ''}<code>${scope}</code>`) : undefined]
  ] as const
  const filled = rows.filter(([, value]) => value !== undefined)
  return html`<dl>${filled.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`
}

const time = (timestamp: string | undefined): Html | undefined =>
  timestamp === undefined ? undefined : html`<time datetime="${timestamp}">${timestamp.slice(0, 16).replace('T', ' ')} UTC</time>`
