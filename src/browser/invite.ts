// Script of the invitation dialog on the Connections page: sends the inviter's name, and shows the link once.
import type { Problem } from './client-types.ts'
import type { PageTexts } from './page-texts.ts'

/** Response to `POST /connections/:provider/invitation`. */
type CreatedInvitation = { url: string; expiresAt: string }

const dialog = find(document, '#invite', HTMLDialogElement)
const form = find(dialog, 'form', HTMLFormElement)
const nameInput = find(form, '#invite-name', HTMLInputElement)
const addInput = find(form, '#invite-add', HTMLInputElement)
const result = find(dialog, '.invite-result', HTMLElement)
const linkInput = find(result, '#invite-link', HTMLInputElement)
const expiry = find(result, 'time', HTMLTimeElement)
const mailLink = find(result, '[data-mail]', HTMLAnchorElement)
const copyStatus = find(result, '[role="status"]', HTMLElement)
const texts: PageTexts = JSON.parse(document.body.dataset.texts ?? '')
const dateFormat = new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short' })

/** What the dialog is open for, in words. */
let serviceTitle = ''
/** Path that creates an invitation for the provider that the dialog is open for. */
let createPath = ''
/** The account that the dialog is open for: `add`, or the id of a connection. */
let account: string | undefined

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

function showError(text: string) {
  find(form, '.error', HTMLElement).textContent = text
  nameInput.ariaInvalid = text ? 'true' : null
  if (text) nameInput.focus()
}

/** What becomes of the connection, if there is one. */
function showWhatStays() {
  const adds = addInput.checked || account === 'add'
  find(form, '#invite-replaces', HTMLElement).hidden = account === undefined || adds
  find(form, '#invite-adds', HTMLElement).hidden = !adds
}

function showPart(part: HTMLElement) {
  form.hidden = part !== form
  result.hidden = part !== result
}

function selectLink() {
  linkInput.focus()
  linkInput.select()
}

/** @returns the invitation, or an error message */
async function create(path: string, content: { name: string; account?: string }): Promise<CreatedInvitation | string> {
  const headers = { 'content-type': 'application/json', 'x-csrf': '1' }
  const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(content) }).catch(() => undefined)
  const body: CreatedInvitation & Partial<Problem> = (await response?.json().catch(() => undefined)) ?? {}
  if (response?.ok) return body
  return texts.problems[body.code ?? ''] ?? body.detail ?? `${texts.unreachable} ${texts.tryAgain}`
}

async function submit() {
  const button = find(form, '[type="submit"]', HTMLButtonElement)
  if (button.ariaDisabled) return
  if (!nameInput.value.trim()) return showError(texts.nameMissing)
  button.ariaDisabled = 'true'
  showError('')
  const requestedPath = createPath
  const chosenAccount = addInput.checked ? 'add' : account
  const invitation = await create(requestedPath, { name: nameInput.value, ...(chosenAccount && { account: chosenAccount }) })
  button.ariaDisabled = null
  // If the dialog was closed in the meantime, the invitation is in the list.
  if (!dialog.open || requestedPath !== createPath) return
  if (typeof invitation === 'string') return showError(invitation)
  // The next reset leaves the name in place.
  nameInput.defaultValue = nameInput.value
  linkInput.value = invitation.url
  expiry.dateTime = invitation.expiresAt
  expiry.textContent = dateFormat.format(new Date(invitation.expiresAt))
  mailLink.href = mailUrl({ service: serviceTitle, link: invitation.url, time: expiry.textContent, name: nameInput.value })
  showPart(result)
  selectLink()
}

/** A message in the user's own mail program (RFC 6068, which has lines end with CRLF). Nothing is sent from here. */
function mailUrl(values: Readonly<Record<string, string>>): string {
  const fill = (template = '') => template.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '').replaceAll('\n', '\r\n')
  const { subject, body } = mailLink.dataset
  return `mailto:?subject=${encodeURIComponent(fill(subject))}&body=${encodeURIComponent(fill(body))}`
}

async function copyLink() {
  try {
    await navigator.clipboard.writeText(linkInput.value)
    copyStatus.textContent = texts.copied
  } catch {
    selectLink()
    copyStatus.textContent = texts.notCopied
  }
}

document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element && target.closest('[data-invite]')
  if (!(button instanceof HTMLButtonElement)) return
  const { invite = '', title = '', canAdd } = button.dataset
  createPath = invite
  serviceTitle = title
  account = button.dataset.account
  for (const place of dialog.querySelectorAll('[data-title]')) place.textContent = title
  find(form, '#invite-choice', HTMLElement).hidden = canAdd === undefined
  showWhatStays()
  dialog.showModal()
})

addInput.addEventListener('change', showWhatStays)

form.addEventListener('submit', event => {
  event.preventDefault()
  submit()
})

find(result, '[data-copy]', HTMLElement).addEventListener('click', copyLink)

// A closed dialog holds no link.
form.addEventListener('reset', () => {
  linkInput.value = ''
  mailLink.removeAttribute('href')
  copyStatus.textContent = ''
  showError('')
  showPart(form)
})
