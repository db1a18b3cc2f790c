import type { PageContext } from './context.ts'
import { html } from './html.ts'
import { page } from './layout.ts'
import type { Messages } from './messages/en.ts'
import { dialog } from './parts/dialog.ts'

const reasons = new Map<string, keyof Messages['login']['reasons']>([
  ['access_denied', 'denied'],
  ['login_required', 'loginRequired'],
  ['account_selection_required', 'accountUnclear'],
  ['consent_required', 'consentRequired'],
  ['interaction_required', 'interactionRequired']
])

/** @param code from a fixed list */
export function loginRefusedPage(context: PageContext, code: string, loginUrl: string): string {
  const { login, signIn, mentionCode } = context.messages
  return page(
    context,
    { title: login.refused },
    dialog(
      context,
      { heading: login.refused },
      html`<p>${login.reasons[reasons.get(code) ?? 'none']}</p>
<p><a class="button" href="${loginUrl}">${signIn}</a></p>
<p class="fine-print">${mentionCode(html`<code>${code}</code>`)}</p>`
    )
  )
}

export function signedOutPage(context: PageContext): string {
  const { login, signIn } = context.messages
  return page(
    context,
    { title: login.signedOut },
    dialog(
      context,
      { heading: login.signedOut },
      html`<p>${login.connectionsStay}</p>
<p><a class="button" href="${context.path('/login')}">${signIn}</a></p>`
    )
  )
}
