// Asking somebody else: the name goes out, the link comes back and stands in the dialog, once.
const dialog = document.getElementById('invite')
const [form, made] = [dialog.querySelector('form'), dialog.querySelector('.made')]
const [name, link] = [document.getElementById('invite-name'), document.getElementById('invite-link')]
const clock = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
let address

function say(fault) {
  form.querySelector('.error').textContent = fault
  name.ariaInvalid = fault ? 'true' : null
  if (fault) name.focus()
}

async function post(body) {
  const headers = { 'content-type': 'application/json', 'x-csrf': '1' }
  const answer = await fetch(address, { method: 'POST', headers, body: JSON.stringify(body) }).catch(() => undefined)
  const said = await answer?.json().catch(() => undefined)
  return answer?.ok ? said : { fault: said?.detail ?? 'This site cannot be reached just now. Try again in a moment.' }
}

async function make(button) {
  if (button.ariaDisabled) return
  // Nobody should be asked by nobody.
  if (!name.value.trim()) return say('Write your name, so that they know who asks.')
  button.ariaDisabled = 'true'
  say('')
  const asked = address
  const { url, expiresAt, fault } = await post({ name: name.value })
  button.ariaDisabled = null
  // Whoever has closed the dialog meanwhile finds the invitation in the list.
  if (!dialog.open || asked !== address) return
  if (fault) return say(fault)
  // It is what the next reset leaves there.
  name.defaultValue = name.value
  link.value = url
  made.querySelector('time').dateTime = expiresAt
  made.querySelector('time').textContent = clock.format(new Date(expiresAt))
  show(made)
  link.focus()
  link.select()
}

async function copy() {
  const status = made.querySelector('[role="status"]')
  try {
    await navigator.clipboard.writeText(link.value)
    status.textContent = 'Copied.'
  } catch {
    link.focus()
    link.select()
    status.textContent = 'This browser did not let it be copied. It is selected: copy it as you copy text.'
  }
}

function show(part) {
  form.hidden = part !== form
  made.hidden = part !== made
}

document.addEventListener('click', ({ target }) => {
  const button = target.closest('[data-invite]')
  if (!button) return
  address = button.dataset.invite
  for (const place of dialog.querySelectorAll('[data-title]')) place.textContent = button.dataset.title
  document.getElementById('invite-replaces').hidden = button.closest('.card').dataset.status === 'disconnected'
  dialog.showModal()
})

form.addEventListener('submit', event => {
  event.preventDefault()
  make(form.querySelector('[type="submit"]'))
})

made.querySelector('[data-copy]').addEventListener('click', copy)

// No link stays behind in a closed dialog.
form.addEventListener('reset', () => {
  link.value = ''
  made.querySelector('[role="status"]').textContent = ''
  say('')
  show(form)
})
