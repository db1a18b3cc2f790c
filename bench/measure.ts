import { setTimeout as sleep } from 'node:timers/promises'
import { quantile } from './quantile.ts'
import { type Answer, burst, newSession, type Session } from './requests.ts'
import type { Counts } from './strict-grants.ts'
import type { World } from './world.ts'

export type Load = {
  readonly expiries: number
  /** At the same moment, at each expiry. */
  readonly calls: number
  readonly sessions: number
  /** Sessions that meet an expiry at the same time. */
  readonly lanes: number
  /** SIGKILL whoever renews, in the middle of the token call. */
  readonly kill: boolean
  /** Some token calls take long, and the response of others is lost. Calls that fail for now are made again, as a frontend does. */
  readonly faults: boolean
}

export type Measured = Counts & {
  readonly expiries: number
  readonly calls: number
  readonly failed: number
  /** How often the gateway or the status said what. */
  readonly failures: Readonly<Record<string, number>>
  readonly sentAgain: number
  readonly signedInAgain: number
  /** Calls that were told that the provider fails for now, and came again. */
  readonly toldToWait: number
  /** Milliseconds. Of calls that meet no expiry: `usual`. Of those that do, and succeed, what they took beyond the median of the usual: `added`. */
  readonly defaultP50: number
  readonly defaultP99: number
  readonly addedP50: number | undefined
  readonly addedP99: number | undefined
}

/** What passes by itself; and when it is worth another try, as the gateway says. */
const passing = new Set(['provider_unavailable', 'provider_timeout'])
const againMs = 1_100

/** Each expiry is met by one burst of calls, right after a burst of the same size that meets none. */
export async function measure(world: World, load: Load): Promise<Measured> {
  const { urls, provider } = world
  const usual: Answer[] = []
  const met: Answer[] = []
  let signedInAgain = 0
  let toldToWait = 0
  let begun = 0

  async function lane(sessions: Session[]): Promise<void> {
    for (let i = 0; begun < load.expiries; i = (i + 1) % sessions.length) {
      begun++
      const session = sessions[i] as Session
      usual.push(...(await burst(urls, session, load.calls)))
      await provider.expire(session.grant)
      const answers = await (load.kill ? killing(session) : load.faults ? patiently(session) : burst(urls, session, load.calls))
      met.push(...answers)
      if (answers.every(({ ok }) => ok)) continue
      signedInAgain++
      sessions[i] = await newSession(urls[0] ?? '')
    }
  }

  /** Until nobody is told to come again. @returns what they were told in the end */
  async function patiently(session: Session): Promise<Answer[]> {
    for (;;) {
      const answers = await burst(urls, session, load.calls)
      if (!answers.some(({ failure }) => passing.has(failure ?? ''))) return answers
      toldToWait += answers.filter(({ ok }) => !ok).length
      await sleep(againMs)
    }
  }

  async function killing(session: Session): Promise<Answer[]> {
    await provider.holdNext()
    const answers = burst(urls, session, load.calls)
    const started = provider.held().then(world.killAndStart)
    return (await Promise.all([answers, started]))[0]
  }

  const sessions = await Promise.all(Array.from({ length: load.sessions }, (_, i) => newSession(urls[i % urls.length] ?? '')))
  await Promise.all(Array.from({ length: load.lanes }, (_, n) => lane(sessions.filter((_session, i) => i % load.lanes === n))))

  const unusual = usual.find(({ ok }) => !ok)
  if (unusual) throw new Error(`a call that met no expiry failed: ${unusual.failure}`)
  const defaultMs = usual.map(({ ms }) => ms)
  const defaultP50 = quantile(defaultMs, 0.5) ?? 0
  const addedMs = met.filter(({ ok }) => ok).map(({ ms }) => ms - defaultP50)
  const failed = met.filter(({ ok }) => !ok)
  return {
    ...(await provider.counts()),
    expiries: begun,
    calls: met.length,
    failed: failed.length,
    failures: tally(failed.map(({ failure = '' }) => failure)),
    sentAgain: [...usual, ...met].filter(({ sentAgain }) => sentAgain).length,
    signedInAgain,
    toldToWait,
    defaultP50,
    defaultP99: quantile(defaultMs, 0.99) ?? 0,
    addedP50: quantile(addedMs, 0.5),
    addedP99: quantile(addedMs, 0.99)
  }
}

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
