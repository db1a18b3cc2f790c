import type { ConnectionView } from '../core/connections/view.ts'
import { CookieBrowser, type Visit } from './browser.ts'
import { readForm, textOf } from './forms.ts'
import { ContractProblem, expectThat } from './problem.ts'
import type { Stage } from './stage.ts'

/** What the sandbox's API responds: the request as it has arrived. */
export type Echo = {
  readonly provider: string
  readonly base?: string
  readonly path: string
  readonly account: string
  readonly method: string
  readonly url: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  readonly bodySha256: string
  readonly parameters: Readonly<Record<string, string>>
}

export type Call = {
  readonly path: string
  /** `NAME`, `NAME~BASE` or `NAME@ID`. */
  readonly segment?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export type Answer = { readonly status: number; readonly code: string | null; readonly text: string }

type SignIn = {
  readonly email: string
  /** `account=add`. */
  readonly adds?: boolean
  /** Gives parameters as the addresses that a browser shows, where they are a part of one. */
  readonly asAddresses?: boolean
}

const returnTo = '/contract'

/** Somebody with a browser, and a page that calls the gateway. */
export function createUser({ origin, definition: { name, parameters = {} }, vendor }: Pick<Stage, 'origin' | 'definition' | 'vendor'>) {
  const browser = new CookieBrowser()

  const addresses = Object.fromEntries(
    Object.entries(vendor.parameters).map(([parameter, value]) => {
      const { suffix } = parameters[parameter] ?? {}
      return [parameter, suffix === undefined || value.endsWith(suffix) ? value : `https://${value}${suffix}/`]
    })
  )

  const isElsewhere = (url: URL): boolean => url.pathname !== returnTo
  const landed = ({ headers, url }: Visit): URL | undefined => {
    const location = headers.get('location')
    return location === null ? undefined : new URL(location, url)
  }

  async function send(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await browser.fetch(origin + path, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
    })
    return { status: response.status, code: response.headers.get('grantkeeper-error'), text: await response.text() }
  }

  /** The entries of this provider. */
  async function connections(): Promise<ConnectionView[]> {
    const { status, text } = await send('GET', '/connections')
    expectThat(status === 200, `GET /connections returned ${status}: ${text}`)
    return (JSON.parse(text) as { connections: ConnectionView[] }).connections.filter(({ provider }) => provider === name)
  }

  const user = {
    send,
    connections,

    /** The only connection to this provider. */
    async connection(): Promise<ConnectionView & { readonly id: string }> {
      const [first, ...others] = await connections()
      expectThat(
        first?.id !== undefined && others.length === 0,
        `there are ${first?.id === undefined ? 0 : others.length + 1} connections instead of one`
      )
      return { ...first, id: first.id }
    },

    /** Goes to the vendor, allows the access and comes back. @returns the scopes that were asked for, if there were several */
    async signIn({ email, adds = false, asAddresses = false }: SignIn): Promise<readonly string[]> {
      const query = new URLSearchParams({
        return_to: returnTo,
        ...(asAddresses ? addresses : vendor.parameters),
        ...(adds && { account: 'add' })
      })
      const page = await browser.visit(`${origin}/auth/${name}?${query}`, {}, isElsewhere)
      expectThat(page.url.includes('/_consent/'), `the sign-in did not lead to the vendor’s consent page, but to ${whereOf(page)}`)
      const fields = readForm(page.text).fields.filter(([field]) => field !== 'email')
      const body = new URLSearchParams([...fields.map(field => [...field]), ['email', email], ['choice', 'allow']])
      let end = await browser.visit(page.url, { method: 'POST', body }, isElsewhere)
      // OAuth 2.0 Form Post Response Mode: a page that submits itself.
      const { action, fields: response } = readForm(end.text)
      if (action !== undefined && end.status === 200)
        end = await browser.visit(action, { method: 'POST', body: new URLSearchParams(response.map(field => [...field])) }, isElsewhere)
      const url = landed(end)
      expectThat(url?.pathname === returnTo && url.search === '', `the sign-in ended at ${whereOf(end)}`)
      return fields.flatMap(([field, value]) => (field === 'scope' ? value : []))
    },

    giveKey: (fields: Readonly<Record<string, string>>, { adds = false, asAddresses = false } = {}): Promise<Answer> =>
      send('POST', `/connections/${name}`, {
        fields,
        parameters: asAddresses ? addresses : vendor.parameters,
        ...(adds && { account: 'add' })
      }),

    async request({ path, segment = name, method = 'GET', headers = {}, body }: Call): Promise<Answer> {
      const response = await browser.fetch(`${origin}/proxy/${segment}${path}`, {
        method,
        headers: { ...headers },
        ...(body !== undefined && { body })
      })
      return { status: response.status, code: response.headers.get('grantkeeper-error'), text: await response.text() }
    },

    /** A call that the API must answer. */
    async call(call: Call): Promise<Echo> {
      const { status, text } = await user.request(call)
      const what = `${call.method ?? 'GET'} ${call.segment ?? name}${call.path}`
      if (status !== 200) throw new ContractProblem(`${what} returned ${status}: ${text}`)
      const echo = parse(text) as Partial<Echo> | undefined
      expectThat(echo?.provider === name && echo.account !== undefined, `${what} returned something else than the sandbox’s echo: ${text}`)
      return echo as Echo
    }
  }

  /** Where a browser is, and what it shows. */
  function whereOf(visit: Visit): string {
    const url = landed(visit) ?? new URL(visit.url)
    const shown = textOf(visit.text)
    return `${url.origin === origin ? url.pathname + url.search : url.href} (status ${visit.status})${shown === '' ? '' : `: ${shown}`}`
  }

  return user
}

export type User = ReturnType<typeof createUser>

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
