import type { Invitation } from '../../core/vault/invitations.ts'
import { type Html, html } from '../html.ts'
import { time } from './details.ts'

export type OpenInvitation = { invitation: Invitation; title: string }

/** Those that nobody has answered yet. Their links were shown once and cannot be shown again. */
export const openInvitations = (open: readonly OpenInvitation[]): Html => html`<section class="open" aria-labelledby="open-title">
<h2 id="open-title">Waiting for somebody else</h2>
<ul role="list">
${open.map(row)}
</ul>
</section>
`

const row = ({ invitation: { id, name, expiresAtMs }, title }: OpenInvitation): Html => html`<li>
<p><strong>${title}</strong><span class="fine">${name === '' ? '' : html`asked for by <bdi>${name}</bdi>, `}until ${time(new Date(expiresAtMs).toISOString())}</span></p>
<button type="button" class="quiet" aria-label="Withdraw the invitation for ${title}" data-method="DELETE" data-path="/invitations/${id}" data-question="Withdraw the invitation for ${title}?" data-meaning="Its link stops working, for whoever has it. You can ask again at any time." data-done="The invitation for ${title} is withdrawn.">Withdraw</button>
</li>
`
