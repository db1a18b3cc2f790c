import type { ConnectionView } from '../../core/connections/view.ts'
import type { PageContext } from '../context.ts'
import { type Html, html } from '../html.ts'

/** What is in use of a choice, if there is one: an account that reaches one thing alone has nothing to choose. */
export function chosenOf({
  choice
}: ConnectionView): { readonly title: string; readonly name: string; readonly count: number } | undefined {
  if (!choice || choice.options.length < 2) return undefined
  const chosen = choice.options.find(({ value }) => value === choice.value)
  return { title: choice.title, name: chosen?.name ?? choice.value, count: choice.options.length }
}

/**
 * What requests use of all that an account reaches, and another of it. `src/browser/connections.ts` sends what is selected.
 * @param of a service, or an account there: tells the lists of a page apart
 */
export function choiceForm(context: PageContext, view: ConnectionView, of: string): Html | '' {
  const { id, provider, title: service, choice } = view
  const chosen = chosenOf(view)
  if (!choice || !chosen) return ''
  const { path, messages, language } = context
  const { title, change } = messages.account.choice
  const select = `choice-${id}`
  const lang = language === 'en' ? '' : html` lang="en"`
  return html`<div class="choice-row field">
<label for="${select}"${lang}>${choice.title}</label>
<select id="${select}" autocomplete="off" aria-label="${title(choice.title, of)}">${choice.options.map(({ value, name }) => html`<option value="${value}"${value === choice.value ? html` selected` : ''}>${name}</option>`)}</select>
<button type="button" class="secondary" aria-label="${change.name(title(choice.title, of))}" data-method="PUT" data-path="${path(`/connections/${provider}/${id}/choice`)}" data-select="${select}" data-provider="${provider}" data-account="${id}" data-success="${messages.account.choice.success(service)}">${change.label}</button>
</div>
<p class="fine-print no-script"><span${lang}>${choice.title}</span>: <bdi>${chosen.name}</bdi></p>`
}
