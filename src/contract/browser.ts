export type Visit = {
  readonly status: number
  readonly url: string
  readonly headers: Headers
  readonly text: string
  readonly hops: readonly string[]
}

export type Cookie = { readonly name: string; readonly value: string; readonly path: string; readonly attributes: string }

/** A minimal browser: stores cookies by host and path, follows redirects and records them. */
export class CookieBrowser {
  readonly cookies = new Map<string, Cookie>()

  /** Sends one request without following a redirect. */
  async request(url: string, init: RequestInit = {}): Promise<Response> {
    const { hostname, pathname } = new URL(url)
    const cookie = [...this.cookies]
      .filter(([key, { path }]) => key.startsWith(`${hostname} `) && pathname.startsWith(path))
      .map(([, { name, value }]) => `${name}=${value}`)
      .join('; ')
    const headers = new Headers(init.headers)
    if (cookie !== '' && !headers.has('cookie')) headers.set('cookie', cookie)
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) this.#storeCookie(hostname, line)
    return response
  }

  /** Navigates: follows redirects while `shouldFollow` allows. */
  async visit(url: string, init: RequestInit = {}, shouldFollow: (url: URL) => boolean = () => true): Promise<Visit> {
    const hops = [url]
    let response = await this.request(url, { ...init, headers: { accept: 'text/html', ...(init.headers as Record<string, string>) } })
    for (let location = response.headers.get('location'); location !== null; location = response.headers.get('location')) {
      const next = new URL(location, hops.at(-1))
      if (!shouldFollow(next)) break
      await response.body?.cancel()
      hops.push(next.href)
      if (hops.length > 20) throw new Error(`too many redirects: ${hops.join(' ')}`)
      response = await this.request(next.href, { headers: { accept: 'text/html' } })
    }
    return { status: response.status, url: hops.at(-1) ?? url, headers: response.headers, text: await response.text(), hops }
  }

  /** Sends a request with the CSRF header, as a frontend does. */
  fetch(url: string, init: RequestInit = {}): Promise<Response> {
    return this.request(url, { ...init, headers: { 'x-csrf': '1', ...(init.headers as Record<string, string>) } })
  }

  #storeCookie(hostname: string, line: string): void {
    const [pair = '', ...attributes] = line.split('; ')
    const at = pair.indexOf('=')
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)]
    const path = attributes.find(a => /^path=/i.test(a))?.slice(5) ?? '/'
    const isDeleted = attributes.some(a => /^max-age=0$/i.test(a)) || value === ''
    if (isDeleted) this.cookies.delete(`${hostname} ${name}`)
    else this.cookies.set(`${hostname} ${name}`, { name, value, path, attributes: attributes.join('; ') })
  }
}
