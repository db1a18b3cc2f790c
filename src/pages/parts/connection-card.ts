import type { Provider } from '../../core/provider/definition.ts'
import { labelAccounts } from '../accounts.ts'
import type { ConnectMethod } from '../connect-methods.ts'
import type { PageContext } from '../context.ts'
import { type Html, html } from '../html.ts'
import { type Account, accountBody, connectLink, disconnectButton, inviteButton, makeDefaultButton, statusMark } from './account.ts'
import { providerBadge } from './elements.ts'

export type ConnectionCard = {
  provider: Provider
  /** At least one: a provider without a connection has one that is disconnected. */
  accounts: readonly Account[]
  /** How one more account is connected. Empty without an account, and when there can be no more. */
  addMethods: readonly ConnectMethod[]
}

const alternativeLabel = { oauth2: 'Sign in instead', api_key: 'Use a key instead' } as const
const alternativeAddLabel = { oauth2: 'Add one by sign-in', api_key: 'Add one with a key' } as const

export const connectionCard = (context: PageContext, card: ConnectionCard): Html => {
  const [only, ...others] = card.accounts
  return only && others.length === 0 ? cardOfOne(context, card, only) : cardOfSeveral(context, card)
}

function cardOfOne(context: PageContext, { provider, addMethods }: ConnectionCard, account: Account): Html {
  const { view, connectMethods } = account
  const { status, title, provider: name } = view
  const [first, ...alternatives] = connectMethods
  return html`<li class="card" data-provider="${name}" data-status="${status}">
${providerBadge(provider)}
<div class="card-title">
<h2>${title}</h2>
${statusMark(status)}
</div>
<p class="description">${provider.description}</p>
<div class="card-body">
${status === 'disconnected' ? html`<p class="fine-print">${connectHint(provider, first)}</p>` : accountBody(account, { hasName: false })}
</div>
<div class="actions">
<div class="buttons">
${first ? connectLink(first, view, { label: status === 'disconnected' ? 'Connect' : 'Reconnect', of: title, className: status === 'connected' ? 'button secondary' : 'button' }) : ''}
${status === 'disconnected' ? '' : disconnectButton(context, view, provider, title)}
</div>
${status === 'connected' ? '' : alternatives.map(other => connectLink(other, view, { label: alternativeLabel[other.method], of: `for ${title}`, className: 'link-button' }))}
${inviteButton(context, view, { of: title, account: view.id, canAdd: addMethods.length > 0 })}
</div>
${addMethods.length > 0 ? html`<div class="more">${addLinks(addMethods, account)}</div>` : ''}
</li>
`
}

function cardOfSeveral(context: PageContext, { provider, accounts, addMethods }: ConnectionCard): Html {
  const { name, title } = provider
  const [first] = accounts
  return html`<li class="card several" data-provider="${name}">
${providerBadge(provider)}
<div class="card-title">
<h2>${title}</h2>
<p class="status">${accounts.length} accounts</p>
</div>
<p class="description">${provider.description}</p>
<ul class="accounts" role="list">
${labelAccounts(accounts).map(account => accountBlock(context, provider, account, account.label))}
</ul>
<p class="fine-print">Applications use the default account unless they ask for another.</p>
<div class="more">
${first && addLinks(addMethods, first)}
${first && addMethods.length > 0 ? inviteButton(context, first.view, { of: `another ${title} account`, account: 'add', canAdd: false }) : ''}
</div>
</li>
`
}

function accountBlock(context: PageContext, provider: Provider, account: Account, label: string): Html {
  const { view, connectMethods } = account
  const { id, status, title, isDefault } = view
  const of = `${title}, ${label}`
  const [first, ...alternatives] = connectMethods
  return html`<li class="account" data-status="${status}" data-account="${id}">
<div class="card-title">
<h3><bdi>${label}</bdi></h3>
${statusMark(status)}
${isDefault ? html`<p class="default-mark">Default</p>` : ''}
</div>
<div class="card-body">
${accountBody(account, { hasName: true })}
</div>
<div class="actions">
<div class="buttons">
${first ? connectLink(first, view, { label: 'Reconnect', of, account: label, className: status === 'connected' ? 'button secondary' : 'button' }) : ''}
${disconnectButton(context, view, provider, of)}
</div>
${status === 'connected' ? '' : alternatives.map(other => connectLink(other, view, { label: alternativeLabel[other.method], of: `for ${of}`, account: label, className: 'link-button' }))}
${isDefault ? '' : makeDefaultButton(context, view, label)}
${inviteButton(context, view, { of, account: id, canAdd: false })}
</div>
</li>
`
}

const addLinks = (methods: readonly ConnectMethod[], { view }: Account): Html[] =>
  methods.map((method, i) =>
    connectLink(method, view, {
      label: i === 0 ? 'Add another account' : alternativeAddLabel[method.method],
      of: `${i === 0 ? 'of' : 'for'} ${view.title}`,
      className: 'link-button'
    })
  )

/** What the user needs to connect by this method. */
function connectHint({ title, methods: { oauth2, apiKey } }: Provider, connectMethod: ConnectMethod | undefined): string {
  const isOAuth = connectMethod?.method === 'oauth2'
  const steps = isOAuth ? (oauth2?.help.steps ?? []) : [`You make a key at ${title} and paste it here.`]
  const plan = isOAuth ? oauth2?.help.plan : apiKey?.help.plan
  return [...steps, plan].filter(text => text !== undefined).join(' ')
}
