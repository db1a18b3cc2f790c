import { setTimeout as sleep } from 'node:timers/promises'
import { quantile } from './quantile.ts'
import { newSession, type RequestResult, type Session, sendBurst } from './requests.ts'
import type { Counts } from './strict-grants.ts'
import type { World } from './world.ts'

export type Load = {
  readonly expiries: number
  /** Concurrent requests at each expiry. */
  readonly calls: number
  readonly sessions: number
  /** Sessions whose tokens expire at the same time. */
  readonly concurrency: number
  /** SIGKILL the instance that renews, during its token request. */
  readonly kill: boolean
  /** Some token requests are slow, and some responses are lost. Requests that fail with a transient error are retried, as a frontend would. */
  readonly faults: boolean
}

export type Measured = Counts & {
  readonly expiries: number
  readonly calls: number
  readonly failed: number
  /** Number of failed requests by error code or status. */
  readonly failures: Readonly<Record<string, number>>
  readonly sentAgain: number
  readonly signedInAgain: number
  /** Requests that got a transient error and were retried. */
  readonly toldToWait: number
  /** Milliseconds. `usual`: requests with a valid token. `added`: successful requests after an expiry, beyond the usual median. */
  readonly usualP50: number
  readonly usualP99: number
  readonly addedP50: number | undefined
  readonly addedP99: number | undefined
}

/** Error codes that pass by themselves, and slightly more than the `Retry-After` that the gateway sends with them. */
const transientErrors = new Set(['provider_unavailable', 'provider_timeout'])
const retryDelayMs = 1_100

/** Sends a burst of requests after each expiry, and before it a control burst of the same size with a valid token. */
export async function measure(world: World, load: Load): Promise<Measured> {
  const { urls, provider, tokenOf } = world
  const control: RequestResult[] = []
  const afterExpiry: RequestResult[] = []
  let signedInAgain = 0
  let toldToWait = 0
  let started = 0

  let users = 0
  const signIn = async (url: string) => newSession(url, await tokenOf?.(`user-${++users}`))

  async function runLane(sessions: Session[]): Promise<void> {
    for (let i = 0; started < load.expiries; i = (i + 1) % sessions.length) {
      started++
      const session = sessions[i] as Session
      control.push(...(await sendBurst(urls, session, load.calls)))
      await provider.expire(session.grant)
      const results = await (load.kill
        ? sendAndKillHolder(session)
        : load.faults
          ? sendUntilSettled(session)
          : sendBurst(urls, session, load.calls))
      afterExpiry.push(...results)
      if (results.every(({ ok }) => ok)) continue
      signedInAgain++
      sessions[i] = await signIn(urls[0] ?? '')
    }
  }

  /** Repeats the burst while any request gets a transient error. @returns the last results */
  async function sendUntilSettled(session: Session): Promise<RequestResult[]> {
    for (;;) {
      const results = await sendBurst(urls, session, load.calls)
      if (!results.some(({ failure }) => transientErrors.has(failure ?? ''))) return results
      toldToWait += results.filter(({ ok }) => !ok).length
      await sleep(retryDelayMs)
    }
  }

  async function sendAndKillHolder(session: Session): Promise<RequestResult[]> {
    await provider.holdNext()
    const results = sendBurst(urls, session, load.calls)
    const restarted = provider.held().then(world.restart)
    return (await Promise.all([results, restarted]))[0]
  }

  const sessions = await Promise.all(Array.from({ length: load.sessions }, (_, i) => signIn(urls[i % urls.length] ?? '')))
  await Promise.all(
    Array.from({ length: load.concurrency }, (_, n) => runLane(sessions.filter((_session, i) => i % load.concurrency === n)))
  )

  const failedControl = control.find(({ ok }) => !ok)
  if (failedControl) throw new Error(`a request with a valid token failed: ${failedControl.failure}`)
  const controlMs = control.map(({ ms }) => ms)
  const controlP50 = quantile(controlMs, 0.5) ?? 0
  const addedMs = afterExpiry.filter(({ ok }) => ok).map(({ ms }) => ms - controlP50)
  const failed = afterExpiry.filter(({ ok }) => !ok)
  return {
    ...(await provider.counts()),
    expiries: started,
    calls: afterExpiry.length,
    failed: failed.length,
    failures: tally(failed.map(({ failure = '' }) => failure)),
    sentAgain: [...control, ...afterExpiry].filter(({ sentAgain }) => sentAgain).length,
    signedInAgain,
    toldToWait,
    usualP50: controlP50,
    usualP99: quantile(controlMs, 0.99) ?? 0,
    addedP50: quantile(addedMs, 0.5),
    addedP99: quantile(addedMs, 0.99)
  }
}

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
