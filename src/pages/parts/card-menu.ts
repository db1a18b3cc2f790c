import type { PageContext } from '../context.ts'
import { type Html, html } from '../html.ts'

/**
 * What is less used on a card. Opens without its script too, which closes it.
 * @param of a service, or an account there
 */
export function cardMenu({ messages }: PageContext, of: string, items: ReadonlyArray<Html | '' | ReadonlyArray<Html | ''>>): Html {
  const { label, name } = messages.account.more
  return html`<details class="menu card-menu">
<summary class="button secondary" aria-label="${name(of)}">${label}</summary>
<div class="menu-panel">
${items}
</div>
</details>`
}
