import { isIP } from 'node:net'

/** Under these, people who have nothing to do with each other have names: each name is a site of its own. */
const shared = new Set(
  `azurestaticapps.net azurewebsites.net cloudfront.net firebaseapp.com fly.dev github.io gitlab.io herokuapp.com netlify.app
  ngrok-free.app onrender.com pages.dev run.app up.railway.app vercel.app web.app workers.dev`.split(/\s+/)
)
/** `co.uk`, `com.au`: registries of countries that register below such a word. */
const registryOfCountry = /^(ac|co|com|edu|go|gov|ne|net|or|org)\.[a-z]{2}$/

/**
 * Roughly what a browser takes for one site (schemeful: RFC 6265bis §5.2), without the list of public suffixes: good enough for a
 * warning and not for a guard.
 */
export function siteOf(origin: string): string {
  const { protocol, hostname } = new URL(origin)
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return `${protocol}//${hostname}`
  const labels = hostname.split('.')
  const last = (count: number) => labels.slice(-count).join('.')
  const suffixLabels = shared.has(last(3)) ? 3 : shared.has(last(2)) || registryOfCountry.test(last(2)) ? 2 : 1
  return `${protocol}//${last(suffixLabels + 1)}`
}
