import { setTimeout as sleep } from 'node:timers/promises'
import { loadCore, testedCore } from './cores.ts'
import { busySeconds, cpuSeconds } from './procfs.ts'
import { type Latencies, type Load, type Run, runWrk } from './wrk.ts'

/** One row of a table: a load, and the processes that serve it. */
export type Subject = {
  readonly system: string
  readonly title: string
  readonly load: Load
  readonly pids: readonly number[]
}

export type Plan = {
  /** How often all systems are started afresh: two processes of the same code may differ for their whole lifetime. */
  readonly starts: number
  /** Rounds per start. */
  readonly rounds: number
  /** Seconds per round. */
  readonly seconds: number
  /** Warm-up of each subject at each start, before the first round. */
  readonly warmUpSeconds: number
}

export type Share = 'cpuMicros' | 'testedBusy' | 'loadBusy' | 'elsewhere'
/** Without latencies where they are measured separately. */
export type Sample = Omit<Run, keyof Latencies> & Partial<Latencies> & { readonly [share in Share]: number }

/** Takes one sample of each subject, in order. */
export type Round = (directory: string, subjects: readonly Subject[], plan: Plan) => Promise<Sample[]>

const pauseMs = 50

/** Measures each subject for a whole round, one after the other, where slices would distort the result. */
export const unsliced: Round = async (directory, subjects, { seconds }) => {
  const samples: Sample[] = []
  for (const { load, pids } of subjects) {
    const before = readCounters(pids)
    const run = await runWrk(directory, load, seconds)
    const after = readCounters(pids)
    const took = (what: keyof typeof before) => after[what] - before[what]
    const all = took('wall')
    samples.push({
      ...run,
      cpuMicros: (took('tested') / run.requests) * 1e6,
      testedBusy: took('tested') / all,
      loadBusy: took('loadCore') / all,
      elsewhere: Math.max(0, took('loadCore') + took('testedCore') - took('ours')) / all
    })
    await sleep(pauseMs)
  }
  return samples
}

/** Counters in seconds, from an arbitrary start. */
const readCounters = (pids: readonly number[]) => ({
  wall: performance.now() / 1000,
  tested: cpuSeconds(pids),
  // Everything in the bench is a child of this process.
  ours: cpuSeconds([process.pid]),
  loadCore: busySeconds(loadCore),
  testedCore: busySeconds(testedCore)
})
