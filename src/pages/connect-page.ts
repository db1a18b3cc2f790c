import type { ConnectionView } from '../core/connections/view.ts'
import type { Provider } from '../core/provider/definition.ts'
import type { LabelledAccount } from './accounts.ts'
import { keyFormScript } from './assets.ts'
import type { ConnectMethod } from './connect-methods.ts'
import type { PageContext } from './context.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { providerHeading, setupGuide, textList, time } from './parts/elements.ts'
import { keyForm } from './parts/key-form.ts'

type Account = LabelledAccount<{ readonly view: ConnectionView }>

type ConnectPageOptions = {
  connectMethods: readonly ConnectMethod[]
  returnTo: string
  /** `add` for one more account, or the id of the connection to make anew; nothing for the default one. */
  account?: string | undefined
  /** Those that are connected. */
  accounts?: readonly Account[]
  /** The same page, for one more account; `undefined` when there can be no more. */
  addUrl?: string | undefined
  /** Path that receives a pasted key. */
  keyAction?: string
  /** Whether the page belongs to this browser's session. */
  isOwn?: boolean
  /** Why this page appears to a user who did not ask for it. */
  notice: string | undefined
}

/** Page of one provider: what a connection gives access to, and the methods to connect. */
export function connectPage(context: PageContext, provider: Provider, options: ConnectPageOptions): string {
  const { connectMethods, returnTo, account, accounts = [], addUrl, isOwn = true, notice } = options
  const { keyAction = context.path(`/connections/${provider.name}`) } = options
  const { title, description } = provider
  const heading = account === 'add' && accounts.length > 0 ? `Connect another ${title} account` : `Connect ${title}`
  return page(
    context,
    heading,
    html`${providerHeading(provider, heading)}
${notice === undefined ? '' : html`<p class="callout">${notice}</p>`}
<p class="lead">${description}: that is what the applications of this site can use for you once it is connected.</p>
${accounts.length === 0 ? '' : html`<p class="callout">${accountNotice(title, accounts, account)}${account === 'add' || addUrl === undefined ? '' : html` <a href="${addUrl}">Add another account instead</a>.`}</p>`}
${connectMethods.map(({ method, url }, i) => (method === 'oauth2' ? signInPanel(provider, url) : keyPanel(provider, { action: keyAction, returnTo, account }, i > 0)))}
${isOwn ? html`<p><a href="${context.path('/')}">Back to your connections</a></p>` : ''}
<script src="${context.path(keyFormScript.url)}" type="module"></script>`
  )
}

/** What becomes of the accounts that are connected. */
function accountNotice(title: string, accounts: readonly Account[], account: string | undefined): Html {
  if (account === 'add')
    return html`Connected already: ${textList(accounts.map(({ label }) => label))}. ${accounts.length > 1 ? 'They stay' : 'It stays'}, and the account that you choose now is added.`
  const replaced = accounts.find(({ view }) => (account === undefined ? view.isDefault : view.id === account))
  if (!replaced) return html``
  if (accounts.length > 1)
    return html`The account that you choose at ${title} takes the place of <strong><bdi>${replaced.label}</bdi></strong>${replaced.view.isDefault ? ', the default account,' : ''} connected on ${time(replaced.view.connectedAt)}.`
  const { account: name, connectedAt } = replaced.view
  return html`It was connected${name && html` as <strong><bdi>${name}</bdi></strong>`} on ${time(connectedAt)}. The account that you choose at ${title} takes its place.`
}

const signInPanel = ({ title, methods: { oauth2 } }: Provider, url: string): Html => html`<section class="panel">
<h2>Sign in at ${title}</h2>
${oauth2 ? setupGuide(oauth2.help) : ''}
<p><a class="button" href="${url}">Sign in at ${title}</a></p>
</section>
`

const keyPanel = (
  provider: Provider,
  target: { readonly action: string; readonly returnTo: string; readonly account: string | undefined },
  isAlternative: boolean
): Html => html`<section class="panel">
<h2>${isAlternative ? 'Or use a key' : 'Use a key'}</h2>
${provider.methods.apiKey ? keyForm(provider, provider.methods.apiKey, target) : ''}
</section>
`
