// Script of the forms that connect: shows an error at its field, reveals secrets, and submits a key. A sign-in is submitted by the browser.
import type { Problem } from './client-types.ts'
import type { PageTexts } from './page-texts.ts'

type Field = HTMLInputElement | HTMLSelectElement

const texts: PageTexts = JSON.parse(document.body.dataset.texts ?? '')

/** @throws when it is missing: the page and its script are out of step. */
function find<T extends Element>(root: ParentNode, selector: string, type: new () => T): T {
  const element = root.querySelector(selector)
  if (element instanceof type) return element
  throw new Error(`${selector} is missing`)
}

/** In the order of the form. */
const fieldsOf = (form: HTMLFormElement): Field[] => [...form.querySelectorAll<Field>('[data-missing]')]

const nameOf = ({ dataset: { field, parameter } }: Field): string => field ?? parameter ?? ''

function showError(field: Field, text: string, isInvalid = text !== '') {
  find(document, `#${CSS.escape(field.id)}_error`, HTMLElement).textContent = text
  field.ariaInvalid = isInvalid ? 'true' : null
}

/** What is about no field in particular: below all of them, or at the only one. */
function showFormError(form: HTMLFormElement, text: string) {
  const place = form.querySelector(':scope > .error')
  const [only] = fieldsOf(form)
  if (place) place.textContent = text
  else if (only) showError(only, text, false)
}

/** What is missing, or has another form than it must, as far as the browser can tell. @returns whether nothing is */
function check(form: HTMLFormElement): boolean {
  const fields = fieldsOf(form)
  for (const field of fields) {
    const { missing = '', invalid = '' } = field.dataset
    // Blanks alone are nothing, also where the browser does not say so.
    const isMissing = field.required && field.value.trim() === ''
    showError(field, isMissing ? missing : field.validity.patternMismatch ? invalid : '')
  }
  const first = fields.find(({ ariaInvalid }) => ariaInvalid)
  first?.focus()
  return !first
}

/** A secret's field, shown or hidden by the button beside it. */
function reveal(button: HTMLButtonElement, isVisible: boolean) {
  const title = button.dataset.reveal ?? ''
  const [show, hide] = title === '' ? [texts.showKey, texts.hideKey] : [texts.showField, texts.hideField]
  const { label, name } = isVisible ? hide : show
  secretOf(button).type = isVisible ? 'text' : 'password'
  button.textContent = label
  button.ariaLabel = name.replace('{field}', () => title)
}

const secretOf = (button: HTMLButtonElement) =>
  find(document, `#${CSS.escape(button.getAttribute('aria-controls') ?? '')}`, HTMLInputElement)

/** What the gateway says: the problem, if the key was not accepted, or where the browser goes on, if not where the form says. */
type KeyResult = { problem?: Partial<Problem>; location?: string }

/** @returns an empty problem if there was no response */
async function sendKey(path: string, content: object): Promise<KeyResult> {
  const headers = { 'content-type': 'application/json', 'x-csrf': '1' }
  const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(content) }).catch(() => undefined)
  const body = await response?.json().catch(() => undefined)
  return response?.ok ? { location: body?.location } : { problem: body ?? {} }
}

const valuesOf = (form: HTMLFormElement, kind: 'field' | 'parameter'): Record<string, string> =>
  Object.fromEntries(fieldsOf(form).flatMap(field => (field.dataset[kind] === undefined ? [] : [[field.dataset[kind], field.value]])))

function contentOf(form: HTMLFormElement): object {
  const { account, nameInput } = form.dataset
  const name = nameInput && find(document, `#${nameInput}`, HTMLInputElement).value
  const [fields, parameters] = [valuesOf(form, 'field'), valuesOf(form, 'parameter')]
  const isKeyAlone = Object.keys({ ...fields, ...parameters }).length === 1
  return { ...(isKeyAlone ? { apiKey: fields.key } : { fields, parameters }), ...(account && { account }), ...(name && { name }) }
}

/** The problem at the field that it is about, else below all of them. */
function showProblem(form: HTMLFormElement, problem: Partial<Problem>) {
  const { detail = `${texts.unreachable} ${texts.tryAgain}`, parameter } = problem
  const code: string = problem.code ?? ''
  const fields = fieldsOf(form)
  const named = parameter === undefined ? undefined : fields.find(field => nameOf(field) === parameter)
  const key = fields.find(field => field.dataset.field === 'key')
  const text = texts.problems[code] ?? detail
  // Of a key the gateway says more exactly what is wrong with it.
  if (key && code.startsWith('api_key_')) showError(key, text)
  else if (named) showError(named, (named.value === '' ? named.dataset.missing : named.dataset.invalid) ?? '')
  else showFormError(form, text)
  const shown = code.startsWith('api_key_') ? key : (named ?? key)
  shown?.focus()
  if (shown instanceof HTMLInputElement) shown.select()
}

async function submitKey(form: HTMLFormElement) {
  const button = find(form, '[type="submit"]', HTMLButtonElement)
  const progress = find(form, '[role="status"]', HTMLElement)
  if (button.ariaDisabled || !check(form)) return
  button.ariaDisabled = 'true'
  showFormError(form, '')
  progress.textContent = progress.dataset.text ?? ''
  const { problem, location: next } = await sendKey(form.action, contentOf(form))
  button.ariaDisabled = null
  progress.textContent = ''
  if (!problem) {
    // The page stays in the browser's history without the key.
    form.reset()
    return location.assign(next ?? form.dataset.returnTo ?? '')
  }
  // The user may have closed the dialog in the meantime.
  if (form.checkVisibility()) showProblem(form, problem)
}

const isForm = (target: EventTarget | null, name: 'key-form' | 'sign-in-form'): target is HTMLFormElement =>
  target instanceof HTMLFormElement && target.classList.contains(name)

document.addEventListener('submit', event => {
  const { target } = event
  if (isForm(target, 'sign-in-form') && !check(target)) event.preventDefault()
  if (!isForm(target, 'key-form')) return
  event.preventDefault()
  submitKey(target)
})

document.addEventListener('reset', ({ target }) => {
  if (!isForm(target, 'key-form')) return
  for (const button of target.querySelectorAll<HTMLButtonElement>('[data-reveal]')) reveal(button, false)
  showFormError(target, '')
  for (const field of fieldsOf(target)) showError(field, '')
})

document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element && target.closest('[data-reveal]')
  if (button instanceof HTMLButtonElement) reveal(button, secretOf(button).type === 'password')
})

// The browser's own messages are not at the fields, and not in the language of the page. Without this script they are what there is.
for (const form of document.querySelectorAll<HTMLFormElement>('.sign-in-form')) form.noValidate = true
