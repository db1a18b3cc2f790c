import type { Test } from 'tap'
import type { Grant } from '../../src/core/connections/connection.ts'
import type { TokenEndpoint } from '../../src/core/oauth/token-endpoint.ts'
import { Secret } from '../../src/core/secret.ts'
import { Browser } from '../support/browser.ts'
import { type FakeProvider, startFakeProvider } from '../support/fake-provider.ts'
import { newKey, startGateway, TestClock, type TestGateway } from '../support/gateway.ts'

/** The same for both instances. */
const publicUrl = 'http://localhost:3000'

export const providerNames = ['productboard', 'ignition'] as const
type ProviderName = (typeof providerNames)[number]

/** A callback's response arrives, or its headers are lost, or the browser hangs up during the code exchange. */
type Fate = 'arrives' | 'is lost' | 'is hung up on'

export type Step =
  | {
      readonly action: 'start a sign-in'
      readonly user: number
      readonly provider: ProviderName
      readonly instance: number
      readonly isLost: boolean
    }
  | { readonly action: 'follow a callback'; readonly user: number; readonly tab: number; readonly instance: number; readonly fate: Fate }
  | { readonly action: 'sign in'; readonly user: number; readonly provider: ProviderName; readonly instance: number; readonly fate: Fate }
  | { readonly action: 'respond to an exchange'; readonly exchange: number }
  | { readonly action: 'send a request'; readonly user: number; readonly provider: ProviderName; readonly instance: number }
  | { readonly action: 'list connections'; readonly user: number; readonly instance: number }
  | { readonly action: 'sign out'; readonly user: number; readonly instance: number }
  | { readonly action: 'disconnect'; readonly user: number; readonly provider: ProviderName; readonly instance: number }
  | { readonly action: 'plant a sign-in'; readonly user: number; readonly provider: ProviderName; readonly instance: number }
  | { readonly action: 'copy the session'; readonly user: number }
  | { readonly action: 'wait two minutes' }

type Tab = { readonly provider: ProviderName; readonly path: string; isSent: boolean }

/** A user with one browser. */
type User = {
  readonly name: string
  readonly browser: Browser
  /** Sign-ins in flight: the user's own, and those planted in another user's browser. */
  readonly tabs: Array<Tab & { readonly browser: Browser }>
  /** Providers that the gateway has reported as connected to this browser, and that must stay connected. */
  readonly connected: Set<ProviderName>
  /** An older copy of another user's cookies. After the session id has rotated it must show nothing new. */
  copy: { readonly browser: Browser; readonly seen: ReadonlySet<string> } | undefined
}

/** @returns a copy of the browser with only some of its cookies. */
function copyCookies(browser: Browser, isCopied: (key: string) => boolean): Browser {
  const copy = browser.copy()
  for (const key of copy.cookies.keys()) if (!isCopied(key)) copy.cookies.delete(key)
  return copy
}

type PendingExchange = { readonly provider: ProviderName; respond(): void }

export type World = { run(steps: readonly Step[]): Promise<void>; readonly signIns: () => number }

/** Two gateway instances on one store, with two providers, and two users in each scenario. Each grant's name contains its user's name. */
export async function openWorld(t: Test): Promise<World> {
  const clock = new TestClock()
  const apis = { productboard: await startFakeProvider(t), ignition: await startFakeProvider(t, 'IGNITION') }
  const environment = {
    ...apis.productboard.environment,
    ...apis.ignition.environment,
    // The cookie names contain its port.
    PUBLIC_URL: publicUrl,
    DATA_DIR: t.testdir(),
    SESSION_KEYS: newKey(),
    TOKEN_KEYS: newKey(),
    SIGN_INS_PER_MINUTE: '1000000',
    LOG_LEVEL: 'silent'
  }
  const pending: PendingExchange[] = []
  const codes = new Map<string, number>()
  const revoked = new Set<string>()
  let signIns = 0
  const options = { clock, environment, tokenEndpointFor: (provider: string) => endpointOf(provider as ProviderName) }
  const gateways = [await startGateway(t, options), await startGateway(t, options)] as const

  /** A token endpoint that responds when the scenario says so. The code names the user, and the grant is named after the code. */
  function endpointOf(provider: ProviderName): TokenEndpoint {
    const grantOf = (name: string): Grant => ({ accessToken: new Secret(name), account: name })
    return {
      exchange: ({ code }) => {
        codes.set(code, (codes.get(code) ?? 0) + 1)
        signIns++
        return new Promise(resolve => pending.push({ provider, respond: () => resolve(grantOf(`${code}-${provider}`)) }))
      },
      refresh: () => Promise.reject(new Error('no refresh expected')),
      revoke: async ({ token }) => void revoked.add(token.reveal())
    } as TokenEndpoint
  }

  async function run(steps: readonly Step[]): Promise<void> {
    const scenario = createScenario({ clock, gateways, apis, pending, codes })
    for (const step of steps) await scenario.perform(step)
    await scenario.finish()
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

  const userAt = (user: number) => users[user % users.length] as User
  const urlAt = (at: number) => gateways[at % gateways.length]?.url ?? ''
  const hasSession = ({ browser }: User) => browser.session(publicUrl) !== undefined

  async function startSignIn(browser: Browser, provider: ProviderName, url: string): Promise<Tab> {
    const { headers } = await browser.request(`${url}/auth/${provider}`)
    const state = new URL(headers.get('location') ?? 'none:').searchParams.get('state') ?? ''
    return { provider, path: `/auth/${provider}/callback?state=${state}`, isSent: false }
  }

  /** Requests the callback, and follows its redirects to the callback. */
  async function followCallback(user: User, tab: User['tabs'][number], url: string, fate: Fate): Promise<void> {
    const isFirst = !tab.isSent
    tab.isSent = true
    const code = `${user.name}-${++codeCount}`
    const sender = fate === 'arrives' ? tab.browser : tab.browser.copy()
    const hangUp = new AbortController()
    const pendingBefore = pending.length
    let target = `${url}${tab.path}&code=${code}`
    for (let hop = 0; ; hop++) {
      const request = sender.request(target, fate === 'is hung up on' ? { signal: hangUp.signal } : {})
      if (fate === 'is hung up on') {
        await waitForExchange(request, pendingBefore)
        hangUp.abort()
      }
      const response = await request.catch(() => undefined)
      if (!response) return
      const location = response.headers.get('location') ?? ''
      if (!location.includes('/callback?') || hop > 5) {
        // The browser was told that it is connected.
        if (fate === 'arrives' && tab.browser === user.browser && response.status === 303 && location === '/' && isFirst)
          user.connected.add(tab.provider)
        return
      }
      // The public URL belongs to a load balancer, which may pick either instance.
      const { pathname, search } = new URL(location)
      target = url + pathname + search
    }
  }

  /** Waits for one more pending exchange, or for the response if there is none. */
  async function waitForExchange(response: Promise<unknown>, pendingBefore: number): Promise<void> {
    let isSettled = false
    const settle = () => {
      isSettled = true
    }
    response.then(settle, settle)
    while (pending.length <= pendingBefore && !isSettled) await new Promise(resolve => setImmediate(resolve))
  }

  /** Responds to all exchanges until no callback is in flight. */
  async function settleAll(): Promise<void> {
    while (inFlight.size > 0) {
      for (const { respond } of pending.splice(0)) respond()
      await Promise.race([...inFlight, new Promise(resolve => setTimeout(resolve, 2))])
    }
    for (const { respond } of pending.splice(0)) respond()
  }

  /** Lists the connected providers, and checks that every account is allowed for this browser. */
  async function listConnections(browser: Browser, isAllowed: (account: string) => boolean, url: string): Promise<Set<ProviderName>> {
    const response = await browser.fetch(`${url}/connections`)
    const { connections } = (await response.json()) as { connections: { provider: ProviderName; status: string; account?: string }[] }
    const found = connections.filter(({ status }) => status === 'connected')
    for (const { account = '' } of found) if (!isAllowed(account)) throw new Error(`shown to another user: ${account}`)
    return new Set(found.map(({ provider }) => provider))
  }

  const belongsTo = (user: User) => (account: string) => account.startsWith(`${user.name}-`)

  async function assertNoneLost(user: User, url: string): Promise<void> {
    const before = [...user.connected]
    const found = await listConnections(user.browser, belongsTo(user), url)
    const lost = before.filter(name => !found.has(name) && user.connected.has(name))
    if (lost.length > 0) throw new Error(`${user.name} lost ${lost}`)
  }

  async function assertCopyShowsNothingNew({ copy }: User): Promise<void> {
    if (!copy) return
    await listConnections(copy.browser, account => copy.seen.has(account), urlAt(0))
  }

  async function send(user: User, provider: ProviderName, url: string): Promise<void> {
    const mustSucceed = user.connected.has(provider)
    const { status, body } = await user.browser.fetch(`${url}/proxy/${provider}/${user.name}`)
    await body?.cancel()
    const sent = apis[provider].seen.api.findLast(seen => seen.url.endsWith(user.name))
    if (status === 200 && !belongsTo(user)(sent?.headers.authorization?.slice('Bearer '.length) ?? ''))
      throw new Error(`sent for ${user.name} with ${sent?.headers.authorization}`)
    if (status !== 200 && mustSucceed && user.connected.has(provider)) throw new Error(`a request of ${user.name} got ${status}`)
  }

  async function perform(step: Step): Promise<void> {
    if (step.action === 'wait two minutes') {
      await settleAll()
      for (const user of users) {
        for (let i = 0; i < 2; i++) await assertNoneLost(user, urlAt(i))
        user.copy = undefined
      }
      clock.advance(120_000)
      return
    }
    if (step.action === 'respond to an exchange') {
      pending.splice(step.exchange % Math.max(1, pending.length), 1)[0]?.respond()
      await new Promise(resolve => setImmediate(resolve))
      return
    }
    const user = userAt(step.user)
    const other = userAt(step.user + 1)
    const { browser } = user
    if (step.action === 'start a sign-in') {
      const sender = step.isLost ? browser.copy() : browser
      const tab = await startSignIn(sender, step.provider, urlAt(step.instance))
      if (!step.isLost) user.tabs.push({ ...tab, browser })
    }
    if (step.action === 'follow a callback') {
      const tab = user.tabs[step.tab % Math.max(1, user.tabs.length)]
      if (!tab) return
      const work = followCallback(user, tab, urlAt(step.instance), step.fate).finally(() => inFlight.delete(work))
      inFlight.add(work)
      work.catch(() => {})
    }
    if (step.action === 'sign in') {
      const tab = { ...(await startSignIn(browser, step.provider, urlAt(step.instance))), browser }
      user.tabs.push(tab)
      const pendingBefore = pending.length
      const work = followCallback(user, tab, urlAt(step.instance), step.fate)
      await waitForExchange(work, pendingBefore)
      pending.pop()?.respond()
      await work
    }
    if (step.action === 'send a request') await send(user, step.provider, urlAt(step.instance))
    if (step.action === 'list connections') await assertNoneLost(user, urlAt(step.instance))
    if (step.action === 'plant a sign-in' && !hasSession(other)) {
      const before = new Set(other.browser.cookies.keys())
      const tab = await startSignIn(other.browser, step.provider, urlAt(step.instance))
      // Only the new sign-in's cookies: with all of them it would be indistinguishable from the other browser.
      user.tabs.push({ ...tab, browser: copyCookies(other.browser, key => key.includes('signin') && !before.has(key)) })
    }
    if (step.action === 'copy the session' && hasSession(other)) {
      await settleAll()
      const list = await other.browser.copy().fetch(`${urlAt(0)}/connections`)
      const { connections } = (await list.json()) as { connections: { account?: string }[] }
      user.copy = {
        browser: copyCookies(other.browser, key => !key.includes('signin')),
        seen: new Set(connections.flatMap(({ account }) => account ?? []))
      }
    }
    if (step.action === 'sign out' || step.action === 'disconnect') {
      await settleAll()
      const path = step.action === 'sign out' ? '/logout' : `/connections/${step.provider}`
      const { status } = await browser.fetch(urlAt(step.instance) + path, { method: step.action === 'sign out' ? 'POST' : 'DELETE' })
      if (status !== 204) throw new Error(`${step.action} got ${status}`)
      if (step.action === 'sign out') user.connected.clear()
      else user.connected.delete(step.provider)
    }
    for (const each of users) await assertCopyShowsNothingNew(each)
  }

  return {
    perform,
    finish: async () => {
      await settleAll()
      for (const user of users) {
        for (const at of [0, 1]) await assertNoneLost(user, urlAt(at))
        await assertCopyShowsNothingNew(user)
      }
      for (const [code, times] of codes) if (times > 1) throw new Error(`${code} was exchanged ${times} times`)
      codes.clear()
    }
  }
}
