import type { ConnectionView } from '../core/connections/view.ts'
import type { Provider } from '../core/provider/definition.ts'
import { asksUsers } from '../core/provider/parse-parameters.ts'
import { type LabelledAccount, labelAccounts } from './accounts.ts'
import { connectFormScript } from './assets.ts'
import type { ConnectMethod } from './connect-methods.ts'
import type { PageContext } from './context.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { dialog } from './parts/dialog.ts'
import { providerText, providerTexts, setupGuide, textList, time } from './parts/elements.ts'
import { noPrefill, type Prefill } from './parts/fields.ts'
import { keyForm } from './parts/key-form.ts'
import { signInForm } from './parts/sign-in-form.ts'
import { type SignedInUser, signedInAs } from './parts/signed-in.ts'

type Account = { readonly view: ConnectionView }

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
  user?: SignedInUser | undefined
  /** The provider has sent the user here with an access that nobody asked for. */
  isUnsolicited?: boolean
  /** Of the form that asks for parameters, and of the key's. */
  prefill?: Prefill | undefined
}

/** Page of one provider: what a connection gives access to, and the methods to connect. */
export function connectPage(context: PageContext, provider: Provider, options: ConnectPageOptions): string {
  const { connectMethods, returnTo, account, addUrl, isOwn = true, user, isUnsolicited = false, prefill = noPrefill } = options
  const { keyAction = context.path(`/connections/${provider.name}`) } = options
  const { messages, brand } = context
  const texts = messages.connectPage
  const { title } = provider
  const own = providerTexts(context, provider)
  const accounts = labelAccounts(context, options.accounts ?? [])
  const heading = account === 'add' && accounts.length > 0 ? texts.titleAnother(title) : texts.title(title)
  return page(
    context,
    { title: heading, user: user && signedInAs(context, user), scripts: [connectFormScript] },
    html`${dialog(
      context,
      { provider, heading },
      html`${isUnsolicited ? html`<p class="callout">${texts.unsolicited(title)}</p>` : ''}
<p class="lead">${texts.lead(providerText(own, own.description), brand.appName)}</p>
${accounts.length === 0 ? '' : html`<p class="callout">${accountNotice(context, title, accounts, account)}${account === 'add' || addUrl === undefined ? '' : html` <a href="${addUrl}">${texts.addInstead}</a>.`}</p>`}
${connectMethods.map(({ method, url }, i) => (method === 'oauth2' ? signInPanel(context, provider, url, prefill) : keyPanel(context, provider, { action: keyAction, returnTo, account, prefill: { values: prefill.values } }, i > 0)))}`
    )}
${isOwn ? html`<p><a href="${context.path('/')}">${messages.backToConnections}</a></p>` : ''}`
  )
}

/** What becomes of the accounts that are connected. */
function accountNotice(
  context: PageContext,
  title: string,
  accounts: ReadonlyArray<LabelledAccount<Account>>,
  account: string | undefined
): Html {
  const texts = context.messages.connectPage
  if (account === 'add') {
    const labels = accounts.map(({ label }) => label)
    return texts.accountsStay(textList(context, labels), labels.length)
  }
  const replaced = accounts.find(({ view }) => (account === undefined ? view.isDefault : view.id === account))
  if (!replaced) return html``
  const { account: name, isDefault = false, connectedAt } = replaced.view
  const since = time(context, connectedAt)
  const emphasized = (text: string) => html`<strong><bdi>${text}</bdi></strong>`
  if (accounts.length > 1) return texts.replaces(title, { label: emphasized(replaced.label), isDefault, since })
  return texts.replacesOnly(title, { name: name === undefined ? undefined : emphasized(name), since })
}

const signInPanel = (context: PageContext, provider: Provider, url: string, prefill: Prefill): Html => {
  const label = context.messages.signInAt(provider.title)
  return html`<section>
<h2>${label}</h2>
${setupGuide(context, provider, 'oauth2')}
${asksUsers(provider) ? signInForm(context, provider, { url, method: 'get', label, prefill }) : html`<p><a class="button" href="${url}">${label}</a></p>`}
</section>
`
}

const keyPanel = (
  context: PageContext,
  provider: Provider,
  target: { readonly action: string; readonly returnTo: string; readonly account: string | undefined; readonly prefill: Prefill },
  isAlternative: boolean
): Html => html`<section>
<h2>${isAlternative ? context.messages.orUseKey : context.messages.useKey}</h2>
${keyForm(context, provider, target)}
</section>
`
