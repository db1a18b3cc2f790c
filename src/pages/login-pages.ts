import type { PageContext } from './context.ts'
import { html } from './html.ts'
import { page } from './layout.ts'

const reasons = new Map([
  ['access_denied', 'The sign-in was not allowed there. If that was a slip, sign in again.'],
  ['login_required', 'You are not signed in there, and it was not asked to sign you in.'],
  ['account_selection_required', 'It could not tell which of your accounts you mean.'],
  ['consent_required', 'It wants your consent first.'],
  ['interaction_required', 'It has something to ask you first.']
])

/** @param code from a fixed list */
export const loginRefusedPage = (context: PageContext, code: string, loginUrl: string): string =>
  page(
    context,
    'You are not signed in',
    html`<div class="panel">
<h1>You are not signed in</h1>
<p>${reasons.get(code) ?? 'It gave no reason. If it goes on, ask who runs this site.'}</p>
<p><a class="button" href="${loginUrl}">Sign in</a></p>
<p class="fine-print">If you ask for help, mention the code <code>${code}</code>.</p>
</div>`
  )

export const signedOutPage = (context: PageContext): string =>
  page(
    context,
    'You are signed out',
    html`<div class="panel">
<h1>You are signed out</h1>
<p>Your connections stay for when you sign in again, and for the applications that use them for you.</p>
<p><a class="button" href="${context.path('/login')}">Sign in</a></p>
</div>`
  )
