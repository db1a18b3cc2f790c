// Script of the API key form: reveals the key, submits it, and shows an error at its field.
import type { Problem } from './client-types.ts'
import type { PageTexts } from './page-texts.ts'

const texts: PageTexts = JSON.parse(document.body.dataset.texts ?? '')

/** @throws when it is missing: the page and its script are out of step. */
function find<T extends Element>(root: ParentNode, selector: string, type: new () => T): T {
  const element = root.querySelector(selector)
  if (element instanceof type) return element
  throw new Error(`${selector} is missing`)
}

const keyInput = (form: HTMLFormElement) => find(form, 'input', HTMLInputElement)

function showError(form: HTMLFormElement, text: string, isKeyInvalid = false) {
  find(form, '.error', HTMLElement).textContent = text
  keyInput(form).ariaInvalid = isKeyInvalid ? 'true' : null
}

function reveal(form: HTMLFormElement, isVisible: boolean) {
  const button = find(form, '[data-reveal]', HTMLButtonElement)
  keyInput(form).type = isVisible ? 'text' : 'password'
  const { label, name } = isVisible ? texts.hideKey : texts.showKey
  button.textContent = label
  button.ariaLabel = name
}

/** What the gateway says: the problem, if the key was not accepted, or where the browser goes on, if not where the form says. */
type KeyResult = { problem?: Partial<Problem>; location?: string }

/** @returns an empty problem if there was no response */
async function sendKey(path: string, content: { apiKey: string; account?: string; name?: string }): Promise<KeyResult> {
  const headers = { 'content-type': 'application/json', 'x-csrf': '1' }
  const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(content) }).catch(() => undefined)
  const body = await response?.json().catch(() => undefined)
  return response?.ok ? { location: body?.location } : { problem: body ?? {} }
}

/** What the form sends besides the key. */
function detailsOf({ dataset: { account, nameInput } }: HTMLFormElement): { account?: string; name?: string } {
  const name = nameInput && find(document, `#${nameInput}`, HTMLInputElement).value
  return { ...(account && { account }), ...(name && { name }) }
}

async function submit(form: HTMLFormElement) {
  const button = find(form, '[type="submit"]', HTMLButtonElement)
  const progress = find(form, '[role="status"]', HTMLElement)
  const input = keyInput(form)
  if (button.ariaDisabled) return
  button.ariaDisabled = 'true'
  showError(form, '')
  progress.textContent = progress.dataset.text ?? ''
  const { problem, location: next } = await sendKey(form.action, { apiKey: input.value, ...detailsOf(form) })
  button.ariaDisabled = null
  progress.textContent = ''
  if (!problem) {
    // The page stays in the browser's history without the key.
    form.reset()
    return location.assign(next ?? form.dataset.returnTo ?? '')
  }
  // The user has closed the dialog in the meantime.
  if (!form.checkVisibility()) return
  const { code = '', detail = `${texts.unreachable} ${texts.tryAgain}` } = problem
  showError(form, texts.problems[code] ?? detail, code.startsWith('api_key_'))
  input.focus()
  input.select()
}

const isKeyForm = (target: EventTarget | null): target is HTMLFormElement =>
  target instanceof HTMLFormElement && target.classList.contains('key-form')

document.addEventListener('submit', event => {
  if (!isKeyForm(event.target)) return
  event.preventDefault()
  submit(event.target)
})

document.addEventListener('reset', ({ target }) => {
  if (!isKeyForm(target)) return
  reveal(target, false)
  showError(target, '')
})

document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element && target.closest('[data-reveal]')
  if (button instanceof HTMLButtonElement && button.form) reveal(button.form, keyInput(button.form).type === 'password')
})
