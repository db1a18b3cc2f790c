// The end of a sign-in in a popup: tells the page that opened it, and closes.
import type { Outcome } from './client-types.ts'

const { opener: origin = '', outcome = '' } = document.querySelector<HTMLElement>('[data-outcome]')?.dataset ?? {}

// Severed by a provider's Cross-Origin-Opener-Policy, it has nobody to tell: the page that opened it asks the gateway.
window.opener?.postMessage(JSON.parse(outcome) as Outcome, origin)

// Not at once: a message whose window is gone when it arrives has no source, by which it is known. Where closing is not
// allowed, the page says what to do.
setTimeout(close, 300)
