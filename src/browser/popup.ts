// Script of the page on which a sign-in in a popup ends: posts the outcome to the page that opened the popup, and closes it.
import type { PopupMessage } from './client-types.ts'

const result = document.querySelector('[data-outcome]')

const { opener: targetOrigin = '', outcome = '', fallback = '' } = result instanceof HTMLElement ? result.dataset : {}

// A provider's Cross-Origin-Opener-Policy may have cut the popup off from its opener. With a cookie, the opener polls the gateway. With a
// bearer, only a page of its own site can go on.
if (outcome && window.opener) {
  const message: PopupMessage = JSON.parse(outcome)
  window.opener.postMessage(message, targetOrigin)
}

// The delay keeps this window alive until the message arrives: without it the message's `source` would be null, and the client would
// ignore it. If the browser does not allow the page to close itself, the page says what to do.
if (fallback && !window.opener) location.replace(fallback)
else setTimeout(close, 300)
