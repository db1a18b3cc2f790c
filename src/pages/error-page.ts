import { type Html, html } from './html.ts'
import { page } from './layout.ts'

type Shown = { title: string; detail: string; status: number; requestId: string; code: string; connectUrl?: string }

/** What the problem document says, for a person. */
export function errorPage({ title, detail, status, requestId, code, connectUrl }: Shown): string {
  return page(
    title,
    html`<div class="panel">
<h1>${title}</h1>
<p>${detail}</p>
${code === 'invitation_invalid' ? '' : wayOn(status, connectUrl)}
${code === 'state_invalid' ? otherWaysOn : ''}
<p class="fine-print">If you ask for help, mention the code <code>${code}</code> and the request <code>${requestId}</code>.</p>
</div>`
  )
}

/** Where a sign-in was begun is not known any more: by an invited person, or on the page of connections. */
const otherWaysOn = html`<p class="fine-print">If somebody sent you a link to connect for them, open that link again instead.</p>
<p><a href="/">Back to your connections</a></p>`

/** Not for an invited person, who has no connections here. */
function wayOn(status: number, connectUrl: string | undefined): Html {
  const [address, label] =
    connectUrl !== undefined ? [connectUrl, 'Connect again'] : ['/', status === 503 ? 'Try again' : 'Back to your connections']
  return html`<p><a class="button" href="${address}">${label}</a></p>`
}
