import { flowCookie, sessionCookie } from './cookie-names.ts'

export type Visit = {
  readonly status: number
  readonly url: string
  readonly headers: Headers
  readonly text: string
  readonly hops: readonly string[]
}

type Cookie = { readonly name: string; readonly value: string; readonly path: string; readonly attributes: string }

/**
 * A browser in miniature: cookies by host and path, redirects followed by hand, each hop kept. What needs a real one is
 * tested in Chromium.
 */
export class Browser {
  readonly cookies = new Map<string, Cookie>()

  /** One request, no redirect followed. */
  async request(url: string, init: RequestInit = {}): Promise<Response> {
    const { hostname, pathname } = new URL(url)
    const cookie = [...this.cookies]
      .filter(([key, { path }]) => key.startsWith(`${hostname} `) && pathname.startsWith(path))
      .map(([, { name, value }]) => `${name}=${value}`)
      .join('; ')
    const headers = new Headers(init.headers)
    if (cookie !== '' && !headers.has('cookie')) headers.set('cookie', cookie)
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) this.#keep(hostname, line)
    return response
  }

  /** A person's navigation: follows redirects as long as `inside` says, and to the end without it. */
  async visit(url: string, init: RequestInit = {}, inside: (url: URL) => boolean = () => true): Promise<Visit> {
    const hops = [url]
    let response = await this.request(url, { ...init, headers: { accept: 'text/html', ...(init.headers as Record<string, string>) } })
    for (let location = response.headers.get('location'); location !== null; location = response.headers.get('location')) {
      const next = new URL(location, hops.at(-1))
      if (!inside(next)) break
      await response.body?.cancel()
      hops.push(next.href)
      if (hops.length > 20) throw new Error(`redirected in circles: ${hops.join(' ')}`)
      response = await this.request(next.href, { headers: { accept: 'text/html' } })
    }
    return { status: response.status, url: hops.at(-1) ?? url, headers: response.headers, text: await response.text(), hops }
  }

  /** Goes through a sign-in at the sandbox. */
  async connect(gatewayUrl: string, provider: string, { returnTo = '/', choice = 'allow' } = {}): Promise<Visit> {
    const consent = await this.visit(`${gatewayUrl}/auth/${provider}?return_to=${encodeURIComponent(returnTo)}`)
    return this.answer(consent, choice)
  }

  /** Submits the consent page of the sandbox. */
  answer(consent: Visit, choice = 'allow', inside?: (url: URL) => boolean): Promise<Visit> {
    const body = new URLSearchParams({ email: 'ada@example.com', choice })
    return this.visit(consent.url, { method: 'POST', body }, inside)
  }

  /** A frontend's call. */
  fetch(url: string, init: RequestInit = {}): Promise<Response> {
    return this.request(url, { ...init, headers: { 'x-csrf': '1', ...(init.headers as Record<string, string>) } })
  }

  /** The same cookies in another jar, as a thief or a second tab with a stale view has them. */
  copy(): Browser {
    const twin = new Browser()
    for (const [key, cookie] of this.cookies) twin.cookies.set(key, cookie)
    return twin
  }

  /** The cookie by which a gateway knows this browser again. */
  session(gatewayUrl: string): Cookie | undefined {
    return [...this.cookies.values()].find(({ name }) => name === sessionCookie(gatewayUrl))
  }

  /** The same, as it stands in a `Cookie` header. */
  sessionPair(gatewayUrl: string): string {
    return `${sessionCookie(gatewayUrl)}=${this.session(gatewayUrl)?.value}`
  }

  /** Those of sign-ins under way. */
  flows(gatewayUrl: string): Cookie[] {
    return [...this.cookies.values()].filter(({ name }) => name.startsWith(`${flowCookie(gatewayUrl)}-`))
  }

  #keep(hostname: string, line: string): void {
    const [pair = '', ...attributes] = line.split('; ')
    const at = pair.indexOf('=')
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)]
    const path = attributes.find(a => /^path=/i.test(a))?.slice(5) ?? '/'
    const gone = attributes.some(a => /^max-age=0$/i.test(a)) || value === ''
    if (gone) this.cookies.delete(`${hostname} ${name}`)
    else this.cookies.set(`${hostname} ${name}`, { name, value, path, attributes: attributes.join('; ') })
  }
}
