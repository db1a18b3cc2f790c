import { isIP } from 'node:net'

/** Hosting domains whose subdomains belong to unrelated owners (public suffixes): each subdomain is a site of its own. */
const hostingDomains = new Set(
  `azurestaticapps.net azurewebsites.net cloudfront.net firebaseapp.com fly.dev github.io gitlab.io herokuapp.com netlify.app
  ngrok-free.app onrender.com pages.dev run.app up.railway.app vercel.app web.app workers.dev`.split(/\s+/)
)
/** `co.uk`, `com.au`: second-level domains under which country registries register names. */
const countrySecondLevel = /^(ac|co|com|edu|go|gov|ne|net|or|org)\.[a-z]{2}$/

/**
 * The registrable domain of a host (HTML §7.1.1), estimated without the public suffix list: two hosts with the same result are probably
 * same-site to a browser. Good enough for a warning or to loosen a header that browsers check again, but not for a guard. An IP address
 * or a single label is a site of its own.
 * @param hostname as in `URL.hostname`
 */
export function siteOf(hostname: string): string {
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return hostname
  const labels = hostname.split('.')
  const last = (count: number) => labels.slice(-count).join('.')
  const suffixLabels = hostingDomains.has(last(3)) ? 3 : hostingDomains.has(last(2)) || countrySecondLevel.test(last(2)) ? 2 : 1
  return last(suffixLabels + 1)
}
