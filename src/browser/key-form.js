// A key that a person pastes: shown and hidden, tried, and what is wrong with it said where it stands.
function say(form, fault, isKeyAtFault) {
  form.querySelector('.error').textContent = fault
  form.querySelector('input').ariaInvalid = isKeyAtFault ? 'true' : null
}

function reveal(form, visible) {
  const button = form.querySelector('[data-reveal]')
  form.querySelector('input').type = visible ? 'text' : 'password'
  button.textContent = visible ? 'Hide' : 'Show'
  button.ariaLabel = `${button.textContent} the key`
}

async function post(address, apiKey) {
  const headers = { 'content-type': 'application/json', 'x-csrf': '1' }
  const answer = await fetch(address, { method: 'POST', headers, body: JSON.stringify({ apiKey }) }).catch(() => undefined)
  if (answer?.ok) return undefined
  const problem = await answer?.json().catch(() => undefined)
  return problem ?? { code: '', detail: 'This site cannot be reached just now. Try again in a moment.' }
}

async function connect(form) {
  const [input, button, progress] = ['input', '[type="submit"]', '[role="status"]'].map(part => form.querySelector(part))
  if (button.ariaDisabled) return
  button.ariaDisabled = 'true'
  say(form, '')
  progress.textContent = progress.dataset.text
  const problem = await post(form.action, input.value)
  button.ariaDisabled = null
  progress.textContent = ''
  if (!problem) {
    // No page that somebody goes back to holds the key.
    form.reset()
    return location.assign(form.dataset.returnTo)
  }
  // Whoever has closed the dialog meanwhile has thought again.
  if (!form.checkVisibility()) return
  say(form, problem.detail, problem.code.startsWith('api_key_'))
  input.focus()
  input.select()
}

document.addEventListener('submit', event => {
  const form = event.target.closest('form.key')
  if (!form) return
  event.preventDefault()
  connect(form)
})

document.addEventListener('reset', ({ target }) => {
  if (!target.matches('form.key')) return
  reveal(target, false)
  say(target, '')
})

document.addEventListener('click', ({ target }) => {
  const form = target.closest('[data-reveal]')?.form
  if (form) reveal(form, form.querySelector('input').type === 'password')
})
