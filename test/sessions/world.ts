import type { Test } from 'tap'
import type { Grant } from '../../src/core/connections/connection.ts'
import type { TokenEndpoint } from '../../src/core/oauth/token-endpoint.ts'
import { Secret } from '../../src/core/secret.ts'
import { Browser } from '../support/browser.ts'
import { type FakeProvider, startFakeProvider } from '../support/fake-provider.ts'
import { newKey, startGateway, TestClock, type TestGateway } from '../support/gateway.ts'

/** Of both instances. */
const publicUrl = 'http://localhost:3000'

export const providerNames = ['productboard', 'ignition'] as const
type ProviderName = (typeof providerNames)[number]

/** How a callback's response fares: it arrives, its headers are lost on the way, or the browser hangs up while the provider is asked. */
type Fate = 'arrives' | 'is lost' | 'is hung up on'

export type Step =
  | { readonly does: 'begin'; readonly who: number; readonly provider: ProviderName; readonly at: number; readonly isLost: boolean }
  | { readonly does: 'come back'; readonly who: number; readonly tab: number; readonly at: number; readonly fate: Fate }
  | { readonly does: 'sign in'; readonly who: number; readonly provider: ProviderName; readonly at: number; readonly fate: Fate }
  | { readonly does: 'answer'; readonly which: number }
  | { readonly does: 'call'; readonly who: number; readonly provider: ProviderName; readonly at: number }
  | { readonly does: 'look'; readonly who: number; readonly at: number }
  | { readonly does: 'sign out'; readonly who: number; readonly at: number }
  | { readonly does: 'disconnect'; readonly who: number; readonly provider: ProviderName; readonly at: number }
  | { readonly does: 'leave a sign-in'; readonly who: number; readonly provider: ProviderName; readonly at: number }
  | { readonly does: 'copy the session'; readonly who: number }
  | { readonly does: 'wait two minutes' }

type Tab = { readonly provider: ProviderName; readonly address: string; isSent: boolean }

/** One person and the browser they use. */
type User = {
  readonly name: string
  readonly browser: Browser
  /** Sign-ins under way: their own, and those that they left in somebody else's browser. */
  readonly tabs: Array<Tab & { readonly browser: Browser }>
  /** What their browser was told is connected, and must be. */
  readonly connected: Set<ProviderName>
  /** An older copy of somebody else's cookies; once their ids have turned it must show nothing new. */
  copy: { readonly browser: Browser; readonly seen: ReadonlySet<string> } | undefined
}

/** Some of the cookies in another jar. */
function copyCookies(browser: Browser, isTaken: (key: string) => boolean): Browser {
  const copy = browser.copy()
  for (const key of copy.cookies.keys()) if (!isTaken(key)) copy.cookies.delete(key)
  return copy
}

type PendingExchange = { readonly provider: ProviderName; respond(): void }

export type World = { run(steps: readonly Step[]): Promise<void>; readonly signIns: () => number }

/** Two instances of a gateway on one store, two providers, and two people in each story. Every grant says by its name whose it is. */
export async function openWorld(t: Test): Promise<World> {
  const clock = new TestClock()
  const apis = { productboard: await startFakeProvider(t), ignition: await startFakeProvider(t, 'IGNITION') }
  const environment = {
    ...apis.productboard.environment,
    ...apis.ignition.environment,
    // Whose port the cookies' names carry.
    PUBLIC_URL: publicUrl,
    DATA_DIR: t.testdir(),
    SESSION_KEYS: newKey(),
    TOKEN_KEYS: newKey(),
    SIGN_INS_PER_MINUTE: '1000000',
    LOG_LEVEL: 'silent'
  }
  const gateways = [await startGateway(t, { clock, environment }), await startGateway(t, { clock, environment })] as const
  const pending: PendingExchange[] = []
  const codes = new Map<string, number>()
  const revoked = new Set<string>()
  let signIns = 0

  for (const { app } of gateways) for (const provider of providerNames) app.tokenEndpoints.set(provider, endpointOf(provider))

  /** Waits to be let go on. The code says whose browser it came back to; a grant is named after it. */
  function endpointOf(provider: ProviderName): TokenEndpoint {
    const grantOf = (name: string): Grant => ({ accessToken: new Secret(name), account: name })
    return {
      exchange: (code: string) => {
        codes.set(code, (codes.get(code) ?? 0) + 1)
        signIns++
        return new Promise(resolve => pending.push({ provider, respond: () => resolve(grantOf(`${code}-${provider}`)) }))
      },
      refresh: () => Promise.reject(new Error('nothing is refreshed')),
      revoke: async ({ token }) => void revoked.add(token.reveal())
    } as TokenEndpoint
  }

  async function run(steps: readonly Step[]): Promise<void> {
    const scenario = createScenario({ clock, gateways, apis, pending, codes })
    for (const step of steps) await scenario.perform(step)
    await scenario.end()
    clock.advance(61_000)
  }

  return { run, signIns: () => signIns }
}

type ScenarioDependencies = {
  clock: TestClock
  gateways: readonly TestGateway[]
  apis: Readonly<Record<ProviderName, FakeProvider>>
  pending: PendingExchange[]
  codes: Map<string, number>
}

let scenarioCount = 0

function createScenario({ clock, gateways, apis, pending, codes }: ScenarioDependencies) {
  const number = ++scenarioCount
  const users: User[] = ['ada', 'bob'].map(name => ({
    name: `${name}-${number}`,
    browser: new Browser(),
    tabs: [],
    connected: new Set(),
    copy: undefined
  }))
  const inFlight = new Set<Promise<void>>()
  let codeCount = 0

  const userAt = (who: number) => users[who % users.length] as User
  const urlAt = (at: number) => gateways[at % gateways.length]?.url ?? ''
  const hasSession = ({ browser }: User) => browser.session(publicUrl) !== undefined

  async function begin(browser: Browser, provider: ProviderName, url: string): Promise<Tab> {
    const { headers } = await browser.request(`${url}/auth/${provider}`)
    const state = new URL(headers.get('location') ?? 'none:').searchParams.get('state') ?? ''
    return { provider, address: `/auth/${provider}/callback?state=${state}`, isSent: false }
  }

  /** The callback, and wherever it sends the browser on its own address. */
  async function followCallback(person: User, tab: User['tabs'][number], url: string, fate: Fate): Promise<void> {
    const isFirst = !tab.isSent
    tab.isSent = true
    const code = `${person.name}-${++codeCount}`
    const sender = fate === 'arrives' ? tab.browser : tab.browser.copy()
    const hangUp = new AbortController()
    const waited = pending.length
    let address = `${url}${tab.address}&code=${code}`
    for (let hop = 0; ; hop++) {
      const asked = sender.request(address, fate === 'is hung up on' ? { signal: hangUp.signal } : {})
      if (fate === 'is hung up on') {
        await waitForExchange(asked, waited)
        hangUp.abort()
      }
      const response = await asked.catch(() => undefined)
      if (!response) return
      const location = response.headers.get('location') ?? ''
      if (!location.includes('/callback?') || hop > 5) {
        // What is told to the browser that asked is so from here on.
        if (fate === 'arrives' && tab.browser === person.browser && response.status === 303 && location === '/' && isFirst)
          person.connected.add(tab.provider)
        return
      }
      // Their public address is a balancer's, which sends it on to any of them.
      const { pathname, search } = new URL(location)
      address = url + pathname + search
    }
  }

  /** Until the token endpoint is asked once more, or there is an answer without that. */
  async function waitForExchange(answered: Promise<unknown>, than: number): Promise<void> {
    let isAnswered = false
    const finish = () => {
      isAnswered = true
    }
    answered.then(finish, finish)
    while (pending.length <= than && !isAnswered) await new Promise(resolve => setImmediate(resolve))
  }

  async function settle(): Promise<void> {
    while (inFlight.size > 0) {
      for (const { respond } of pending.splice(0)) respond()
      await Promise.race([...inFlight, new Promise(resolve => setTimeout(resolve, 2))])
    }
    for (const { respond } of pending.splice(0)) respond()
  }

  /** What a browser sees: every account is its person's, or was there when the copy was made. */
  async function listConnections(browser: Browser, isRight: (account: string) => boolean, url: string): Promise<Set<ProviderName>> {
    const response = await browser.fetch(`${url}/connections`)
    const { connections } = (await response.json()) as { connections: { provider: ProviderName; status: string; account?: string }[] }
    const found = connections.filter(({ status }) => status === 'connected')
    for (const { account = '' } of found) if (!isRight(account)) throw new Error(`shown to somebody else: ${account}`)
    return new Set(found.map(({ provider }) => provider))
  }

  const belongsTo = (person: User) => (account: string) => account.startsWith(`${person.name}-`)

  async function assertNoneLost(person: User, url: string): Promise<void> {
    const before = [...person.connected]
    const found = await listConnections(person.browser, belongsTo(person), url)
    const lost = before.filter(name => !found.has(name) && person.connected.has(name))
    if (lost.length > 0) throw new Error(`lost by ${person.name}: ${lost}`)
  }

  async function assertCopyShowsNothingNew({ copy }: User): Promise<void> {
    if (!copy) return
    await listConnections(copy.browser, account => copy.seen.has(account), urlAt(0))
  }

  async function call(person: User, provider: ProviderName, url: string): Promise<void> {
    const must = person.connected.has(provider)
    const { status, body } = await person.browser.fetch(`${url}/proxy/${provider}/${person.name}`)
    await body?.cancel()
    const sent = apis[provider].seen.api.findLast(seen => seen.url.endsWith(person.name))
    if (status === 200 && !belongsTo(person)(sent?.headers.authorization?.slice('Bearer '.length) ?? ''))
      throw new Error(`called for ${person.name} with ${sent?.headers.authorization}`)
    if (status !== 200 && must && person.connected.has(provider)) throw new Error(`a call of ${person.name} was told ${status}`)
  }

  async function perform(step: Step): Promise<void> {
    if (step.does === 'wait two minutes') {
      await settle()
      for (const person of users) {
        for (let i = 0; i < 2; i++) await assertNoneLost(person, urlAt(i))
        person.copy = undefined
      }
      clock.advance(120_000)
      return
    }
    if (step.does === 'answer') {
      pending.splice(step.which % Math.max(1, pending.length), 1)[0]?.respond()
      await new Promise(resolve => setImmediate(resolve))
      return
    }
    const person = userAt(step.who)
    const other = userAt(step.who + 1)
    const { browser } = person
    if (step.does === 'begin') {
      const asks = step.isLost ? browser.copy() : browser
      const tab = await begin(asks, step.provider, urlAt(step.at))
      if (!step.isLost) person.tabs.push({ ...tab, browser })
    }
    if (step.does === 'come back') {
      const tab = person.tabs[step.tab % Math.max(1, person.tabs.length)]
      if (!tab) return
      const work = followCallback(person, tab, urlAt(step.at), step.fate).finally(() => inFlight.delete(work))
      inFlight.add(work)
      work.catch(() => {})
    }
    if (step.does === 'sign in') {
      const tab = { ...(await begin(browser, step.provider, urlAt(step.at))), browser }
      person.tabs.push(tab)
      const others = pending.length
      const work = followCallback(person, tab, urlAt(step.at), step.fate)
      await waitForExchange(work, others)
      pending.pop()?.respond()
      await work
    }
    if (step.does === 'call') await call(person, step.provider, urlAt(step.at))
    if (step.does === 'look') await assertNoneLost(person, urlAt(step.at))
    if (step.does === 'leave a sign-in' && !hasSession(other)) {
      const before = new Set(other.browser.cookies.keys())
      const tab = await begin(other.browser, step.provider, urlAt(step.at))
      // Whoever takes what the other has under way as well is that browser, as far as anybody can tell.
      person.tabs.push({ ...tab, browser: copyCookies(other.browser, key => key.includes('signin') && !before.has(key)) })
    }
    if (step.does === 'copy the session' && hasSession(other)) {
      await settle()
      const list = await other.browser.copy().fetch(`${urlAt(0)}/connections`)
      const { connections } = (await list.json()) as { connections: { account?: string }[] }
      person.copy = {
        browser: copyCookies(other.browser, key => !key.includes('signin')),
        seen: new Set(connections.flatMap(({ account }) => account ?? []))
      }
    }
    if (step.does === 'sign out' || step.does === 'disconnect') {
      await settle()
      const path = step.does === 'sign out' ? '/logout' : `/connections/${step.provider}`
      const { status } = await browser.fetch(urlAt(step.at) + path, { method: step.does === 'sign out' ? 'POST' : 'DELETE' })
      if (status !== 204) throw new Error(`${step.does} was told ${status}`)
      if (step.does === 'sign out') person.connected.clear()
      else person.connected.delete(step.provider)
    }
    for (const one of users) await assertCopyShowsNothingNew(one)
  }

  return {
    perform,
    end: async () => {
      await settle()
      for (const person of users) {
        for (const at of [0, 1]) await assertNoneLost(person, urlAt(at))
        await assertCopyShowsNothingNew(person)
      }
      for (const [code, times] of codes) if (times > 1) throw new Error(`${code} was exchanged ${times} times`)
      codes.clear()
    }
  }
}
