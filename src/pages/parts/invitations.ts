import { toSingleLine } from '../../core/util/display-text.ts'
import type { Invitation } from '../../core/vault/invitations.ts'
import type { PageContext } from '../context.ts'
import { type Html, html } from '../html.ts'
import { time } from './elements.ts'
import type { SignedInUser } from './signed-in.ts'

export type OpenInvitation = { invitation: Invitation; title: string }

/** Invitations neither accepted nor declined. Their links were shown once and cannot be shown again. */
export const openInvitations = (
  context: PageContext,
  invitations: readonly OpenInvitation[]
): Html => html`<section class="invitations" aria-labelledby="open-title">
<h2 id="open-title">Waiting for somebody else</h2>
<ul role="list">
${invitations.map(invitation => row(context, invitation))}
</ul>
</section>
`

const row = ({ path }: PageContext, { invitation: { id, name, expiresAtMs }, title }: OpenInvitation): Html => html`<li>
<p><strong>${title}</strong><span class="fine-print">${name === '' ? '' : html`asked for by <bdi>${name}</bdi>, `}until ${time(expiresAtMs)}</span></p>
<button type="button" class="secondary" aria-label="Withdraw the invitation for ${title}" data-method="DELETE" data-path="${path(`/invitations/${id}`)}" data-question="Withdraw the invitation for ${title}?" data-consequence="Its link stops working, for whoever has it. You can ask again at any time." data-success="The invitation for ${title} is withdrawn.">Withdraw</button>
</li>
`

/**
 * Creates an invitation. `src/browser/invite.ts` opens it for one provider or account, and fills in what is to be connected at `data-title`.
 * @param user who is signed in, if users sign in here
 */
export const inviteDialog = (user: SignedInUser | undefined): Html => html`<dialog class="wide" id="invite" aria-labelledby="invite-title">
<h2 id="invite-title" tabindex="-1" autofocus>Ask somebody else to connect <span data-title></span></h2>
<form class="invite-form" novalidate>
<p>Is it for somebody else to allow, such as an admin? You get a link to send to them. They sign in themselves, and get to see nothing of yours.</p>
<p id="invite-replaces">The connection that you have stays until they are done. Theirs then takes its place.</p>
<p id="invite-adds">What is connected already stays, and their account is added.</p>
<label class="choice" id="invite-choice"><input type="checkbox" id="invite-add">Add their account to the one that is connected</label>
<div>
<label for="invite-name">Your name, as they will see it</label>
<p class="error" id="invite-error" role="alert"></p>
<div class="input-row"><input id="invite-name" type="text" maxlength="80" autocomplete="name" aria-describedby="invite-error"${user?.name && html` value="${toSingleLine(user.name).slice(0, 80)}"`}></div>
</div>
<div class="button-row"><button type="button" class="secondary" data-close>Cancel</button><button type="submit">Make the link</button></div>
</form>
<div class="invite-result" hidden>
<div>
<label for="invite-link">The link for whoever is to connect <span data-title></span></label>
<div class="input-row"><input id="invite-link" type="text" readonly aria-describedby="invite-notes"><button type="button" data-copy>Copy</button></div>
<p class="fine-print" role="status"></p>
</div>
<ul class="notes" id="invite-notes">
<li>Send it yourself, and only to the person you mean. It is not shown again.</li>
<li>It works once, until <time></time>. You need not come back before. It ends earlier when you ${user ? '' : 'sign out or '}withdraw it.</li>
<li>Only they get to see the sign-in of <span data-title></span>. Once they are done, the card here says Connected.</li>
</ul>
<div class="button-row"><button type="button" class="secondary" data-close>Done</button></div>
</div>
</dialog>
`
