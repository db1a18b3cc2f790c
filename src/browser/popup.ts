// Script of the page on which a sign-in in a popup ends: posts the outcome to the page that opened the popup, and closes it.
import type { PopupMessage } from './client-types.ts'

const result = document.querySelector('[data-outcome]')

// A provider's Cross-Origin-Opener-Policy may have cut the popup off from its opener, which then polls the gateway.
if (result instanceof HTMLElement && window.opener) {
  const { opener: targetOrigin = '', outcome = '' } = result.dataset
  const message: PopupMessage = JSON.parse(outcome)
  window.opener.postMessage(message, targetOrigin)
}

// The delay keeps this window alive until the message arrives: without it the message's `source` would be null, and the client would
// ignore it. If the browser does not allow the page to close itself, the page says what to do.
setTimeout(close, 300)
