// Script of the Connections page: opens the dialogs, sends what the user confirms, refreshes the cards and shows times in the user's
// time zone. Without it the page still renders and signs in.
import type { Problem } from './client-types.ts'
import type { PageTexts } from './page-texts.ts'

const message = find(document, '#message', HTMLElement)
const confirmation = find(document, '#confirmation', HTMLDialogElement)
const searchInput = document.querySelector<HTMLInputElement>('#card-search')
const texts: PageTexts = JSON.parse(document.body.dataset.texts ?? '')
const dateFormat = new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short' })

/** The path of this page. */
const home = find(document, '#connections', HTMLElement).dataset.home ?? ''

/** `#connections` as the server rendered it: a refresh compares with this. */
let renderedMarkup = ''
/** The button whose confirmation is open. */
let pendingButton: HTMLButtonElement | undefined
let isSignedOut = false

/** @throws when it is missing: the page and its script are out of step. */
function find<T extends Element>(root: ParentNode, selector: string, type: new () => T): T {
  const element = root.querySelector(selector)
  if (element instanceof type) return element
  throw new Error(`${selector} is missing`)
}

/** That of the browser in the language of the page, such as `en-GB`; else the page's. */
function locale(): string {
  const { lang } = document.documentElement
  return navigator.languages.find(tag => tag.toLowerCase().split('-')[0] === lang) ?? lang
}

function enhance(connections: Element) {
  renderedMarkup = connections.innerHTML
  for (const time of connections.querySelectorAll('time')) time.textContent = dateFormat.format(new Date(time.dateTime))
  for (const link of connections.querySelectorAll('[data-dialog]')) link.ariaHasPopup = 'dialog'
  filterCards(connections)
}

/** Without case and diacritics. */
const toSearchable = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()

/** Shows the cards whose title and description have every word that was typed. */
function filterCards(connections: Element) {
  if (!searchInput) return
  const words = toSearchable(searchInput.value).split(/\s+/)
  const cards = [...connections.querySelectorAll('.card')].filter(card => card instanceof HTMLElement)
  for (const card of cards) {
    const searchable = toSearchable([...card.querySelectorAll('h2, .description')].map(({ textContent }) => textContent).join(' '))
    card.hidden = !words.every(word => searchable.includes(word))
  }
  const shown = cards.filter(({ hidden }) => !hidden).length
  const result = shown === 0 ? texts.foundNone : texts.found.replace('{count}', String(shown)).replace('{total}', String(cards.length))
  const text = searchInput.value.trim() === '' ? '' : result
  const status = find(document, '.card-search [role="status"]', HTMLElement)
  // A refresh that changes nothing is not announced.
  if (status.textContent !== text) status.textContent = text
}

/** @returns whether the cards are up to date */
async function refresh(): Promise<boolean> {
  const markup = await fetch(home, { headers: { accept: 'text/html' } }).then(
    response => response.text(),
    () => ''
  )
  const fresh = new DOMParser().parseFromString(markup, 'text/html').getElementById('connections')
  if (!fresh) return false
  if (fresh.innerHTML === renderedMarkup) return true
  const focusedLabel = document.activeElement?.getAttribute('aria-label')
  enhance(fresh)
  find(document, '#connections', HTMLElement).replaceWith(fresh)
  const sameControl = focusedLabel && fresh.querySelector(`[aria-label="${CSS.escape(focusedLabel)}"]`)
  if (sameControl instanceof HTMLElement) focusIn(sameControl)
  return true
}

/** In a menu that is closed nothing can have the focus. */
function focusIn(control: HTMLElement) {
  const menu = control.closest('.menu-panel')?.parentElement
  if (menu instanceof HTMLDetailsElement) menu.open = true
  control.focus()
}

function showMessage(text: string, kind: 'success' | 'error') {
  message.dataset.kind = kind
  message.textContent = text
}

function askConfirmation(button: HTMLButtonElement) {
  const { question = '', consequence = '', safe } = button.dataset
  find(confirmation, '#confirmation-question', HTMLElement).textContent = question
  find(confirmation, '#confirmation-consequence', HTMLElement).textContent = consequence
  const yes = find(confirmation, '[value="yes"]', HTMLElement)
  yes.textContent = button.textContent
  // Only what ends something is shown as dangerous.
  yes.classList.toggle('danger', safe === undefined)
  confirmation.returnValue = ''
  pendingButton = button
  confirmation.showModal()
}

/** Under another name of this host (127.0.0.1) the session cookie is missing: there the browser follows the link to the public URL. */
const opensDialog = (link: HTMLAnchorElement, { button, ctrlKey, metaKey, shiftKey }: MouseEvent) =>
  link.origin === location.origin && button === 0 && !ctrlKey && !metaKey && !shiftKey

/** Why it failed, or where a user who has signed out signs out of the identity provider too. */
type SendResult = { error?: string; logoutUrl?: string }

async function send({ method = 'POST', path = '', body }: DOMStringMap): Promise<SendResult> {
  const headers = { 'x-csrf': '1', ...(body && { 'content-type': 'application/json' }) }
  const response = await fetch(path, { method, headers, ...(body && { body }) }).catch(() => undefined)
  const content: (Partial<Problem> & { logoutUrl?: string }) | undefined = await response?.json().catch(() => undefined)
  // Another tab was faster, and it is gone as it should be.
  const isGone = method === 'DELETE' && content?.code === 'connection_unknown'
  if (response?.ok || isGone) return content?.logoutUrl ? { logoutUrl: content.logoutUrl } : {}
  const detail = texts.problems[content?.code ?? ''] ?? content?.detail ?? texts.unreachable
  return { error: texts.failed.replace('{detail}', () => detail) }
}

async function sendConfirmed(button: HTMLButtonElement) {
  button.ariaDisabled = 'true'
  const { select } = button.dataset
  const [option] = select ? find(document, `#${CSS.escape(select)}`, HTMLSelectElement).selectedOptions : []
  const { error, logoutUrl } = await send({ ...button.dataset, ...(option && { body: JSON.stringify({ value: option.value }) }) })
  button.ariaDisabled = null
  if (error) return showMessage(error, 'error')
  const { provider, account, signsOut } = button.dataset
  const success = (button.dataset.success ?? '').replace('{name}', () => option?.text ?? '')
  if (signsOut !== undefined) return logoutUrl ? location.assign(logoutUrl) : showSignedOut(success)
  if (!(await refresh())) return location.assign(home)
  showMessage(success, 'success')
  if (option && document.activeElement?.ariaLabel === button.ariaLabel) return
  // The focused button is gone: keyboard users continue at the link in its place, or at the menu, but never at what ends something.
  const block =
    (account && document.querySelector(`[data-account="${account}"].account`)) || document.querySelector(`[data-provider="${provider}"]`)
  const next = block?.querySelector('.actions > a, .actions summary')
  if (next instanceof HTMLElement) next.focus()
  else message.focus()
}

/** The user stays on the page: the identity provider may sign in whoever opens it again, without asking. */
function showSignedOut(text: string) {
  isSignedOut = true
  for (const part of document.querySelectorAll('#connections, .account-menu, main > .lead'))
    if (part instanceof HTMLElement) part.hidden = true
  find(document, '#sign-in-again', HTMLElement).hidden = false
  showMessage(text, 'success')
  message.focus()
}

/** When something outside of them is used. A dialog leaves them open, so that the control that opened it gets the focus back. */
function closeMenus(used: Element) {
  if (used.closest('dialog')) return
  for (const menu of document.querySelectorAll<HTMLDetailsElement>('.menu[open]')) if (!menu.contains(used)) menu.open = false
}

/** Opens the dialog for the account of the link. */
function openDialog({ dataset: { dialog: id, account, note = '', values = '{}' } }: HTMLAnchorElement) {
  const dialog = find(document, `#${id}`, HTMLDialogElement)
  const form = find(dialog, 'form', HTMLFormElement)
  if (account === undefined) delete form.dataset.account
  else form.dataset.account = account
  // What the account was connected with before. A closed dialog was reset.
  for (const [name, value] of Object.entries<string>(JSON.parse(values))) {
    const field = form.querySelector(`[data-parameter="${name}"], [data-field="${name}"]`)
    if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = value
  }
  const noteElement = find(dialog, '[data-note]', HTMLElement)
  noteElement.textContent = note
  noteElement.hidden = note === ''
  dialog.showModal()
}

document.addEventListener('click', event => {
  const { target } = event
  if (!(target instanceof Element)) return
  closeMenus(target)
  const button = target.closest('button[data-path]')
  if (button instanceof HTMLButtonElement && !button.ariaDisabled) {
    if (button.dataset.question) askConfirmation(button)
    else sendConfirmed(button)
  }
  const link = target.closest('a[data-dialog]')
  if (link instanceof HTMLAnchorElement && opensDialog(link, event)) {
    event.preventDefault()
    openDialog(link)
  }
  if (target.closest('[data-close]')) target.closest('dialog')?.close()
})

// As every menu, ours close by Escape and when the focus leaves them.
document.addEventListener('keydown', ({ key, target }) => {
  const menu = key === 'Escape' && target instanceof Element && target.closest('.menu[open]')
  if (!(menu instanceof HTMLDetailsElement)) return
  menu.open = false
  find(menu, 'summary', HTMLElement).focus()
})
document.addEventListener('focusout', ({ relatedTarget }) => {
  if (relatedTarget instanceof Element) closeMenus(relatedTarget)
})

confirmation.addEventListener('close', () => {
  // The event is queued: the next confirmation may be open by now.
  if (!confirmation.open && confirmation.returnValue === 'yes' && pendingButton) sendConfirmed(pendingButton)
})

// A closed dialog holds no key, and a new invitation appears in the list. The event does not bubble, so this listens in the capture phase.
document.addEventListener(
  'close',
  ({ target }) => {
    if (!(target instanceof HTMLDialogElement)) return
    target.querySelector('form')?.reset()
    if (target.id === 'invite') refresh()
  },
  true
)

searchInput?.addEventListener('input', () => filterCards(find(document, '#connections', HTMLElement)))

// Another tab or an application may have changed something in the meantime.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !isSignedOut && !document.querySelector('dialog[open]')) refresh()
})

enhance(find(document, '#connections', HTMLElement))
if (message.textContent) {
  message.focus()
  // A reload does not repeat the message.
  history.replaceState(null, '', home)
}
