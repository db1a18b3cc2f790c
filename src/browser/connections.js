// The page is whole without this, but for keys. It opens their dialogs, ends connections, tells times as the person's clock does,
// and keeps the cards true.
const message = document.getElementById('message')
const dialog = document.getElementById('confirmation')
const clock = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
/** The cards as the server drew them, and the button whose question is open. */
let seen
let asked

function show(connections) {
  seen = connections.innerHTML
  for (const time of connections.querySelectorAll('time')) time.textContent = clock.format(new Date(time.dateTime))
  for (const link of connections.querySelectorAll('[data-dialog]')) link.ariaHasPopup = 'dialog'
}

/** @returns whether the cards are true now. */
async function refresh() {
  const markup = await fetch('/', { headers: { accept: 'text/html' } }).then(
    answer => answer.text(),
    () => ''
  )
  const fresh = new DOMParser().parseFromString(markup, 'text/html').getElementById('connections')
  if (!fresh) return false
  if (fresh.innerHTML === seen) return true
  const name = document.activeElement?.getAttribute('aria-label')
  show(fresh)
  document.getElementById('connections').replaceWith(fresh)
  if (name) fresh.querySelector(`[aria-label="${CSS.escape(name)}"]`)?.focus()
  return true
}

function say(text, kind) {
  message.dataset.kind = kind
  message.textContent = text
}

function ask(button) {
  const { question, meaning } = button.dataset
  dialog.querySelector('h2').textContent = question
  dialog.querySelector('p').textContent = meaning
  dialog.querySelector('.yes').textContent = button.textContent
  dialog.returnValue = ''
  asked = button
  dialog.showModal()
}

/** Under another name of this host the cookies would be the wrong ones: there the link leads to the page that it names. */
const opensHere = (link, { button, ctrlKey, metaKey, shiftKey }) =>
  link.origin === location.origin && button === 0 && !ctrlKey && !metaKey && !shiftKey

async function send({ method, path }) {
  const answer = await fetch(path, { method, headers: { 'x-csrf': '1' } }).catch(() => undefined)
  if (answer?.ok) return undefined
  const problem = await answer?.json().catch(() => undefined)
  return `That did not work. ${problem?.detail ?? 'This site cannot be reached just now.'} Try again in a moment.`
}

async function end(button) {
  button.ariaDisabled = 'true'
  const fault = await send(button.dataset)
  button.ariaDisabled = null
  if (fault) return say(fault, 'bad')
  if (!(await refresh())) return location.assign('/')
  const { done, provider } = button.dataset
  say(done, 'good')
  // The button is gone. What comes next for the keyboard stands where it stood.
  const next = provider && document.querySelector(`[data-provider="${provider}"] .actions a`)
  ;(next ?? message).focus()
}

document.addEventListener('click', event => {
  const { target } = event
  const button = target.closest('button[data-path]')
  if (button && !button.ariaDisabled) ask(button)
  const link = target.closest('a[data-dialog]')
  if (link && opensHere(link, event)) {
    event.preventDefault()
    document.getElementById(link.dataset.dialog).showModal()
  }
  if (target.closest('[data-close]')) target.closest('dialog').close()
})

dialog.addEventListener('close', () => {
  // This event comes late: the next question may be open by now.
  if (!dialog.open && dialog.returnValue === 'yes') end(asked)
})

// No key stays behind in a closed dialog, and an invitation made in one is in the list. The event does not bubble.
document.addEventListener(
  'close',
  ({ target }) => {
    target.querySelector('form').reset()
    if (target.id === 'invite') refresh()
  },
  true
)

// Another tab, or an application, may have changed something meanwhile.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !document.querySelector('dialog[open]')) refresh()
})

show(document.getElementById('connections'))
if (message.textContent) {
  message.focus()
  // A reload must not tell it again.
  history.replaceState(null, '', '/')
}
