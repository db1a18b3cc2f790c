import type { ErrorCode } from '../core/errors.ts'
import type { Provider } from '../core/provider/definition.ts'
import type { PageContext } from './context.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { dialog } from './parts/dialog.ts'

type ErrorPageOptions = {
  /** Title and detail are in English, for developers. */
  title: string
  detail: string
  status: number
  requestId: string
  code: ErrorCode
  connectUrl?: string | undefined
  loginUrl?: string | undefined
}

/** A problem document as a page for browsers. @param provider which the request was about, if that is known */
export function errorPage(context: PageContext, problem: ErrorPageOptions, provider?: Provider): string {
  const { status, requestId, code, connectUrl, loginUrl } = problem
  const { problems, mentionCodeAndRequest } = context.messages
  const { title, text } = problems?.texts[code] ?? { title: problem.title, text: problem.detail }
  return page(
    context,
    { title },
    dialog(
      context,
      { provider, heading: title },
      html`<p>${text}</p>
${code === 'invitation_invalid' ? '' : nextStep(context, status, { connectUrl, loginUrl })}
${code === 'state_invalid' ? otherNextSteps(context) : ''}
${problems ? html`<p class="fine-print">${problems.original(html`<span lang="en">${problem.detail}</span>`)}</p>` : ''}
<p class="fine-print">${mentionCodeAndRequest(html`<code>${code}</code>`, html`<code>${requestId}</code>`)}</p>`
    )
  )
}

/** A sign-in with an invalid state may have started on the Connections page or on an invitation. */
const otherNextSteps = ({ path, messages }: PageContext): Html => html`<p class="fine-print">${messages.error.openLinkAgain}</p>
<p><a href="${path('/')}">${messages.backToConnections}</a></p>`

/** Not for invited users: they have no connections here. */
function nextStep(
  { path, messages }: PageContext,
  status: number,
  { connectUrl, loginUrl }: Pick<ErrorPageOptions, 'connectUrl' | 'loginUrl'>
): Html {
  const [url, label] =
    loginUrl !== undefined
      ? [loginUrl, messages.signIn]
      : connectUrl !== undefined
        ? [connectUrl, messages.error.connectAgain]
        : [path('/'), status === 503 ? messages.error.tryAgain : messages.backToConnections]
  return html`<p><a class="button" href="${url}">${label}</a></p>`
}
