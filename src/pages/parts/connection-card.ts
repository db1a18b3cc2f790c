import type { Provider } from '../../core/provider/definition.ts'
import { labelAccounts } from '../accounts.ts'
import type { ConnectMethod } from '../connect-methods.ts'
import type { PageContext } from '../context.ts'
import { type Html, html } from '../html.ts'
import { type Account, accountBody, connectLink, disconnectButton, inviteButton, makeDefaultButton, statusMark } from './account.ts'
import { cardMenu } from './card-menu.ts'
import { choiceForm } from './choice.ts'
import { providerBadge, providerText, providerTexts } from './elements.ts'

export type ConnectionCard = {
  provider: Provider
  /** At least one: a provider without a connection has one that is disconnected. */
  accounts: readonly Account[]
  /** How one more account is connected. Empty without an account, and when there can be no more. */
  addMethods: readonly ConnectMethod[]
}

export const connectionCard = (context: PageContext, card: ConnectionCard): Html => {
  const [only, ...others] = card.accounts
  return only && others.length === 0 ? cardOfOne(context, card, only) : cardOfSeveral(context, card)
}

function cardOfOne(context: PageContext, { provider, addMethods }: ConnectionCard, account: Account): Html {
  const { view } = account
  const { status, title, provider: name } = view
  const [primary, others] = actionsOf(context, provider, account, { of: title })
  return html`<li class="card" data-provider="${name}" data-status="${status}">
${providerBadge(provider)}
<div class="card-title">
<h2>${title}</h2>
${statusMark(context, status)}
</div>
${descriptionOf(context, provider)}
<div class="card-body">
${status === 'disconnected' ? html`<p class="fine-print">${connectHint(context, provider, account.connectMethods[0])}</p>` : accountBody(context, provider, account, { hasName: false })}
${status === 'connected' ? choiceForm(context, view, title) : ''}
</div>
<div class="actions">
${primary}
${cardMenu(context, title, [others, addLinks(context, addMethods, account), inviteButton(context, view, { of: title, account: view.id, canAdd: addMethods.length > 0 }), docsLink(context, provider)])}
</div>
</li>
`
}

function cardOfSeveral(context: PageContext, { provider, accounts, addMethods }: ConnectionCard): Html {
  const { name, title } = provider
  const texts = context.messages.account
  const [first] = accounts
  return html`<li class="card" data-provider="${name}">
${providerBadge(provider)}
<div class="card-title">
<h2>${title}</h2>
<p class="status">${texts.count(accounts.length)}</p>
</div>
${descriptionOf(context, provider)}
${
  first && addMethods.length > 0
    ? html`<div class="actions">
${cardMenu(context, title, [addLinks(context, addMethods, first), inviteButton(context, first.view, { of: texts.another(title), account: 'add', canAdd: false }), docsLink(context, provider)])}
</div>`
    : ''
}
<ul class="accounts" role="list">
${labelAccounts(context, accounts).map(account => accountBlock(context, provider, account, account.label))}
</ul>
<p class="fine-print default-hint">${texts.defaultHint}</p>
</li>
`
}

function accountBlock(context: PageContext, provider: Provider, account: Account, label: string): Html {
  const { view } = account
  const { id, status, title, isDefault } = view
  const texts = context.messages.account
  const of = texts.named(title, label)
  const [primary, others] = actionsOf(context, provider, account, { of, account: label })
  return html`<li class="account" data-status="${status}" data-account="${id}">
<div class="card-title">
<h3><bdi>${label}</bdi></h3>
${statusMark(context, status)}
${isDefault ? html`<p class="default-mark">${texts.default}</p>` : ''}
</div>
<div class="card-body">
${accountBody(context, provider, account, { hasName: true })}
${status === 'connected' ? choiceForm(context, view, of) : ''}
</div>
<div class="actions">
${primary}
${cardMenu(context, of, [others, isDefault ? '' : makeDefaultButton(context, view, label), inviteButton(context, view, { of, account: id, canAdd: false })])}
</div>
</li>
`
}

/** The one action that is seen at once, and the others: what works can be ended, and what does not can be connected. */
function actionsOf(
  context: PageContext,
  provider: Provider,
  { view, connectMethods }: Account,
  names: { readonly of: string; readonly account?: string }
): [primary: Html | '', others: ReadonlyArray<Html | ''>] {
  const { status, missingScopes } = view
  const texts = context.messages.account
  const [first, ...alternatives] = connectMethods
  const control = status === 'disconnected' ? texts.connect : texts.reconnect
  const connectAs = (className: string) => (first ? connectLink(context, first, view, { control, ...names, className }) : '')
  const disconnectAs = (className: string) => disconnectButton(context, view, provider, { of: names.of, className })
  if (status === 'connected' && missingScopes === undefined) return [disconnectAs('secondary'), [connectAs('link-button')]]
  const insteadLinks = alternatives.map(other =>
    connectLink(context, other, view, { control: texts.instead[other.method], ...names, className: 'link-button' })
  )
  const others = status === 'disconnected' ? [] : [disconnectAs('link-button')]
  return [connectAs('button'), status === 'connected' ? others : [...insteadLinks, ...others]]
}

const addLinks = (context: PageContext, methods: readonly ConnectMethod[], { view }: Account): Html[] =>
  methods.map((method, i) => {
    const { add, addInstead } = context.messages.account
    return connectLink(context, method, view, {
      control: i === 0 ? add : addInstead[method.method],
      of: view.title,
      className: 'link-button'
    })
  })

/** For developers, who look at this page too. */
const docsLink = ({ messages }: PageContext, { docsUrl, title }: Provider): Html | '' =>
  docsUrl === undefined
    ? ''
    : html`<a class="link-button" href="${docsUrl}" target="_blank" rel="noopener noreferrer" aria-label="${messages.account.docs.name(title)}">${messages.account.docs.label}</a>`

function descriptionOf(context: PageContext, provider: Provider): Html {
  const { description, lang } = providerTexts(context, provider)
  return html`<p class="description"${lang}>${description}</p>`
}

/** What the user needs to connect by this method. */
function connectHint(context: PageContext, provider: Provider, connectMethod: ConnectMethod | undefined): Html {
  const own = providerTexts(context, provider)
  const isOAuth = connectMethod?.method === 'oauth2'
  const help = isOAuth ? own.oauth2 : own.apiKey
  const keyHint = html`${context.messages.account.keyHint(provider.title)}`
  const steps = isOAuth ? (help?.steps ?? []).map(step => providerText(own, step)) : [keyHint]
  const plan = help?.plan === undefined ? [] : [providerText(own, help.plan)]
  return html`${[...steps, ...plan].map((text, i) => html`${i > 0 ? ' ' : ''}${text}`)}`
}
