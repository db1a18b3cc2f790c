import type { ConnectionView } from '../core/connections/view.ts'
import type { Provider } from '../core/provider/definition.ts'
import { keyFormScript } from './assets.ts'
import type { ConnectMethod } from './connect-methods.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { providerHeading, setupGuide, time } from './parts/elements.ts'
import { keyForm } from './parts/key-form.ts'

type ConnectPageOptions = {
  view: ConnectionView
  connectMethods: readonly ConnectMethod[]
  returnTo: string
  /** Why this page appears to a user who did not ask for it. */
  notice: string | undefined
}

/** Page of one provider: what a connection gives access to, and the methods to connect. */
export function connectPage(provider: Provider, { view, connectMethods, returnTo, notice }: ConnectPageOptions): string {
  const { title, description } = provider
  return page(
    `Connect ${title}`,
    html`${providerHeading(provider, `Connect ${title}`)}
${notice === undefined ? '' : html`<p class="callout">${notice}</p>`}
<p class="lead">${description}: that is what the applications of this site can use for you once it is connected.</p>
${view.status === 'disconnected' ? '' : replacementNotice(view)}
${connectMethods.map(({ method, url }, i) => (method === 'oauth2' ? signInPanel(provider, url) : keyPanel(provider, returnTo, i > 0)))}
<p><a href="/">Back to your connections</a></p>
<script src="${keyFormScript.url}" type="module"></script>`
  )
}

const replacementNotice = ({ title, account, connectedAt }: ConnectionView): Html =>
  html`<p class="callout">It was connected${account && html` as <strong><bdi>${account}</bdi></strong>`} on ${time(connectedAt)}. The account that you choose at ${title} takes its place.</p>`

const signInPanel = ({ title, methods: { oauth2 } }: Provider, url: string): Html => html`<section class="panel">
<h2>Sign in at ${title}</h2>
${oauth2 ? setupGuide(oauth2.help) : ''}
<p><a class="button" href="${url}">Sign in at ${title}</a></p>
</section>
`

const keyPanel = (provider: Provider, returnTo: string, isAlternative: boolean): Html => html`<section class="panel">
<h2>${isAlternative ? 'Or use a key' : 'Use a key'}</h2>
${provider.methods.apiKey ? keyForm(provider, provider.methods.apiKey, { action: `/connections/${provider.name}`, returnTo }) : ''}
</section>
`
