import type { ConnectionView } from '../core/connections/view.ts'
import type { Provider } from '../core/provider/provider.ts'
import { keyFormScript } from './assets.ts'
import type { ConnectMethod } from './connect-methods.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { providerHeading, setupGuide, time } from './parts/elements.ts'
import { keyForm } from './parts/key-form.ts'

type Shown = {
  view: ConnectionView
  ways: readonly ConnectMethod[]
  returnTo: string
  /** Why the person sees it who did not ask for it. */
  notice: string | undefined
}

/** One provider's page: what a connection gives access to, and the ways to make one. */
export function connectPage(provider: Provider, { view, ways, returnTo, notice }: Shown): string {
  const { title, description } = provider
  return page(
    `Connect ${title}`,
    html`${providerHeading(provider, `Connect ${title}`)}
${notice === undefined ? '' : html`<p class="callout">${notice}</p>`}
<p class="lead">${description}: that is what the applications of this site can use for you once it is connected.</p>
${view.status === 'disconnected' ? '' : replaces(view)}
${ways.map(({ method, url }, i) => (method === 'oauth2' ? bySignIn(provider, url) : byKey(provider, returnTo, i > 0)))}
<p><a href="/">Back to your connections</a></p>
<script src="${keyFormScript.url}" type="module"></script>`
  )
}

const replaces = ({ title, account, connectedAt }: ConnectionView): Html =>
  html`<p class="callout">It was connected${account && html` as <strong><bdi>${account}</bdi></strong>`} on ${time(connectedAt)}. The account that you choose at ${title} takes its place.</p>`

const bySignIn = ({ title, methods: { oauth2 } }: Provider, url: string): Html => html`<section class="panel">
<h2>Sign in at ${title}</h2>
${oauth2 ? setupGuide(oauth2.help) : ''}
<p><a class="button" href="${url}">Sign in at ${title}</a></p>
</section>
`

const byKey = (provider: Provider, returnTo: string, isOther: boolean): Html => html`<section class="panel">
<h2>${isOther ? 'Or use a key' : 'Use a key'}</h2>
${provider.methods.apiKey ? keyForm(provider, provider.methods.apiKey, { action: `/connections/${provider.name}`, returnTo }) : ''}
</section>
`
