import type { Parameter } from '../../core/provider/parameter.ts'
import type { PageContext } from '../context.ts'
import { type Html, html } from '../html.ts'

/** What a form is filled with when it is shown. */
export type Prefill = {
  /** By name: of an earlier connection, or as the user has typed it. */
  readonly values: Readonly<Record<string, string>>
  /** Name of the field whose value was refused. */
  readonly invalid?: string | undefined
}

export const noPrefill: Prefill = { values: {} }

type FieldOptions = {
  /** Unique on the page. Those of its parts begin with it and `_`, which no provider's name has. */
  readonly id: string
  readonly label?: string
  /** The name under which a form without a script sends it. Without one, no browser puts it into a URL. */
  readonly inputName?: string
  /** For the script of the form: `data-parameter` or `data-field`. */
  readonly kind?: 'parameter' | 'field'
  readonly prefill?: Prefill
  /** Whether the form says itself that nothing was given. Default: unless there is a default value. */
  readonly isRequired?: boolean
  /** What the page itself says below it. */
  readonly note?: string
}

/**
 * One question of a form, with its error at the place. What was typed before stays, secrets excepted. `src/browser/connect-form.ts` shows the texts
 * in `data-missing` and `data-invalid`.
 */
export function parameterField(
  context: PageContext,
  name: string,
  parameter: Parameter,
  { id, label = parameter.title, inputName, kind, prefill = noPrefill, isRequired = parameter.default === undefined, note }: FieldOptions
): Html {
  const { title, hint, example, secret = false, suffix, oneOf, default: fallback } = parameter
  const texts = context.messages.fields
  const lang = context.language === 'en' ? '' : html` lang="en"`
  const value = secret ? undefined : Object.hasOwn(prefill.values, name) ? prefill.values[name] : fallback
  const isInvalid = prefill.invalid === name
  const invalid = secret ? texts.invalidSecret : oneOf ? texts.invalidChoice : texts.invalid(example)
  const parts = { error: true, suffix: suffix !== undefined, hint: hint !== undefined, note: note !== undefined }
  const describedBy = Object.entries(parts).flatMap(([part, isThere]) => (isThere ? [`${id}_${part}`] : []))
  const attributes = html` id="${id}"${inputName && html` name="${inputName}"`}${kind && html` data-${kind}="${name}"`} data-missing="${texts.missing}" data-invalid="${invalid}"${isInvalid ? html` aria-invalid="true" autofocus` : ''} aria-describedby="${describedBy.join(' ')}"${isRequired ? html` required` : ''}`
  return html`<div class="field">
<label for="${id}"${label === title ? lang : ''}>${label}</label>
<p class="error" id="${id}_error" role="alert">${isInvalid ? (value ? invalid : texts.missing) : ''}</p>
<div class="input-row">
${oneOf ? choiceOf(context, oneOf, value, attributes, lang) : html`<input${attributes}${inputAttributes(name, parameter)}${value === undefined ? '' : html` value="${value}"`}>`}
${suffix === undefined ? '' : html`<span class="suffix" id="${id}_suffix">${suffix}</span>`}
${secret ? revealButton(context, id, label === title ? title : undefined) : ''}
</div>
${hint === undefined ? '' : html`<p class="fine-print" id="${id}_hint"${lang}>${hint}</p>`}
${note === undefined ? '' : html`<p class="fine-print" id="${id}_note">${note}</p>`}
</div>
`
}

/** @param title of the field in the definition, if it has one of its own */
function revealButton({ messages }: PageContext, id: string, title: string | undefined): Html {
  const { showKey, showField } = messages.scripts
  const { label, name } = title === undefined ? showKey : showField
  return html`<button type="button" class="secondary" data-reveal="${title ?? ''}" aria-label="${name.replace('{field}', () => title ?? '')}" aria-controls="${id}">${label}</button>`
}

const choiceOf = (
  { messages }: PageContext,
  oneOf: Readonly<Record<string, string>>,
  value: string | undefined,
  attributes: Html,
  lang: Html | ''
): Html => {
  const isKnown = value !== undefined && Object.hasOwn(oneOf, value)
  return html`<select${attributes}>${isKnown ? '' : html`<option value="">${messages.fields.choose}</option>`}${Object.entries(oneOf).map(([one, words]) => html`<option value="${one}"${lang}${isKnown && one === value ? html` selected` : ''}>${words}</option>`)}</select>`
}

/** What a password manager or a phone's keyboard may fill in (WCAG 2.2, 1.3.5). */
const purposes: Readonly<Record<string, string>> = { email: 'email', username: 'username' }

function inputAttributes(name: string, { example, secret = false, verbatim = false, pattern, suffix, isHost }: Parameter): Html {
  if (secret) return html` type="password" autocomplete="off" autocapitalize="none" spellcheck="false"`
  const purpose = purposes[name]
  // An address is taken too, and what was copied along with a value is removed: only the gateway can tell.
  const checked = pattern !== undefined && suffix === undefined && !isHost && !verbatim
  return html` type="text"${purpose === 'email' ? html` inputmode="email"` : ''} autocomplete="${purpose ?? 'off'}" autocapitalize="none" spellcheck="false" placeholder="${example}"${checked ? html` pattern="${`[\\s\\p{Cf}]*(?:${pattern})[\\s\\p{Cf}]*`}" title="${example}"` : ''}`
}

/** How a value of a parameter is shown: as an address or in words, where it stands for one. */
export function shownValue({ suffix = '', oneOf }: Parameter, value: string): string {
  if (oneOf) return Object.hasOwn(oneOf, value) ? (oneOf[value] as string) : value
  return value + suffix
}
