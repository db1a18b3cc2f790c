import type { PageContext } from './context.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'

type ErrorPageOptions = {
  title: string
  detail: string
  status: number
  requestId: string
  code: string
  connectUrl?: string | undefined
  loginUrl?: string | undefined
}

/** A problem document as a page for browsers. */
export function errorPage(
  context: PageContext,
  { title, detail, status, requestId, code, connectUrl, loginUrl }: ErrorPageOptions
): string {
  return page(
    context,
    title,
    html`<div class="panel">
<h1>${title}</h1>
<p>${detail}</p>
${code === 'invitation_invalid' ? '' : nextStep(context, status, { connectUrl, loginUrl })}
${code === 'state_invalid' ? otherNextSteps(context) : ''}
<p class="fine-print">If you ask for help, mention the code <code>${code}</code> and the request <code>${requestId}</code>.</p>
</div>`
  )
}

/** A sign-in with an invalid state may have started on the Connections page or on an invitation. */
const otherNextSteps = ({
  path
}: PageContext): Html => html`<p class="fine-print">If somebody sent you a link to connect for them, open that link again instead.</p>
<p><a href="${path('/')}">Back to your connections</a></p>`

/** Not for invited users: they have no connections here. */
function nextStep(
  { path }: PageContext,
  status: number,
  { connectUrl, loginUrl }: Pick<ErrorPageOptions, 'connectUrl' | 'loginUrl'>
): Html {
  const [url, label] =
    loginUrl !== undefined
      ? [loginUrl, 'Sign in']
      : connectUrl !== undefined
        ? [connectUrl, 'Connect again']
        : [path('/'), status === 503 ? 'Try again' : 'Back to your connections']
  return html`<p><a class="button" href="${url}">${label}</a></p>`
}
