import { type Cookie, CookieBrowser, type Visit } from '../../src/contract/browser.ts'
import { flowCookie, sessionCookie } from './cookie-names.ts'

export type { Visit }

/** A browser without scripts, for the gateway and the sandbox. Tests that need a real browser use Chromium. */
export class Browser extends CookieBrowser {
  /** Signs in at the sandbox. */
  async connect(gatewayUrl: string, provider: string, { returnTo = '/', choice = 'allow' } = {}): Promise<Visit> {
    const consent = await this.visit(`${gatewayUrl}/auth/${provider}?return_to=${encodeURIComponent(returnTo)}`)
    return this.submitConsent(consent, choice)
  }

  /** Submits the consent page of the sandbox. */
  submitConsent(consent: Visit, choice = 'allow', shouldFollow?: (url: URL) => boolean): Promise<Visit> {
    const body = new URLSearchParams({ email: 'ada@example.com', choice })
    return this.visit(consent.url, { method: 'POST', body }, shouldFollow)
  }

  /** A browser with the same cookies, like a thief's or a second tab's. */
  copy(): Browser {
    const copy = new Browser()
    for (const [key, cookie] of this.cookies) copy.cookies.set(key, cookie)
    return copy
  }

  /** The session cookie of a gateway. */
  session(gatewayUrl: string): Cookie | undefined {
    return [...this.cookies.values()].find(({ name }) => name === sessionCookie(gatewayUrl))
  }

  /** The session cookie as `name=value` for a `Cookie` header. */
  sessionPair(gatewayUrl: string): string {
    return `${sessionCookie(gatewayUrl)}=${this.session(gatewayUrl)?.value}`
  }

  /** Cookies of sign-ins in flight. */
  flows(gatewayUrl: string): Cookie[] {
    return [...this.cookies.values()].filter(({ name }) => name.startsWith(`${flowCookie(gatewayUrl)}-`))
  }
}
