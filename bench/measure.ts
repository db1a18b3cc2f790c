import { setTimeout as sleep } from 'node:timers/promises'
import { quantile } from './quantile.ts'
import { newSession, type RequestResult, type Session, sendBurst } from './requests.ts'
import type { Counts } from './strict-grants.ts'
import type { World } from './world.ts'

export type Load = {
  readonly expiries: number
  /** At the same moment, at each expiry. */
  readonly calls: number
  readonly sessions: number
  /** Sessions that meet an expiry at the same time. */
  readonly concurrency: number
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
  readonly usualP50: number
  readonly usualP99: number
  readonly addedP50: number | undefined
  readonly addedP99: number | undefined
}

/** What passes by itself; and when it is worth another try, as the gateway says. */
const transientErrors = new Set(['provider_unavailable', 'provider_timeout'])
const retryDelayMs = 1_100

/** Each expiry is met by one burst of calls, right after a burst of the same size that meets none. */
export async function measure(world: World, load: Load): Promise<Measured> {
  const { urls, provider } = world
  const control: RequestResult[] = []
  const afterExpiry: RequestResult[] = []
  let signedInAgain = 0
  let toldToWait = 0
  let started = 0

  async function runLane(sessions: Session[]): Promise<void> {
    for (let i = 0; started < load.expiries; i = (i + 1) % sessions.length) {
      started++
      const session = sessions[i] as Session
      control.push(...(await sendBurst(urls, session, load.calls)))
      await provider.expire(session.grant)
      const answers = await (load.kill
        ? sendAndKillHolder(session)
        : load.faults
          ? sendUntilSettled(session)
          : sendBurst(urls, session, load.calls))
      afterExpiry.push(...answers)
      if (answers.every(({ ok }) => ok)) continue
      signedInAgain++
      sessions[i] = await newSession(urls[0] ?? '')
    }
  }

  /** Until nobody is told to come again. @returns what they were told in the end */
  async function sendUntilSettled(session: Session): Promise<RequestResult[]> {
    for (;;) {
      const answers = await sendBurst(urls, session, load.calls)
      if (!answers.some(({ failure }) => transientErrors.has(failure ?? ''))) return answers
      toldToWait += answers.filter(({ ok }) => !ok).length
      await sleep(retryDelayMs)
    }
  }

  async function sendAndKillHolder(session: Session): Promise<RequestResult[]> {
    await provider.holdNext()
    const answers = sendBurst(urls, session, load.calls)
    const started = provider.held().then(world.restart)
    return (await Promise.all([answers, started]))[0]
  }

  const sessions = await Promise.all(Array.from({ length: load.sessions }, (_, i) => newSession(urls[i % urls.length] ?? '')))
  await Promise.all(
    Array.from({ length: load.concurrency }, (_, n) => runLane(sessions.filter((_session, i) => i % load.concurrency === n)))
  )

  const failedControl = control.find(({ ok }) => !ok)
  if (failedControl) throw new Error(`a call that met no expiry failed: ${failedControl.failure}`)
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
