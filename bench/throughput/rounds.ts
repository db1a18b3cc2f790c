import { median } from './median.ts'
import { residentMiB } from './procfs.ts'
import type { Plan, Round, Sample, Share, Subject } from './sampling.ts'
import { sliced } from './slices.ts'
import type { InWorld, World } from './system.ts'
import { type Latencies, runWrk } from './wrk.ts'

/** Medians over the rounds of all starts, except `rates`. Memory is the median over the starts. */
export type Row = {
  readonly system: string
  readonly title: string
  /** Requests per second. */
  readonly rate: number
  /** Requests per second of each round, in order. */
  readonly rates: readonly number[]
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU time of the system itself per request, in microseconds. */
  readonly cpuMicros: number
  /** How busy the system kept its core: from 0 to 1. */
  readonly testedBusy: number
  /** How busy the load's core was, with load, upstream, Redis and other work: from 0 to 1. */
  readonly loadBusy: number
  /** The share of both cores used by neither the system nor the load. The larger, the less reliable the figures. */
  readonly elsewhere: number
  /** Memory right after the last round of a start. */
  readonly loadedMiB: number
}

export type Broken = { readonly system: string; readonly title: string; readonly broken: string }

const hasLatencies = (sample: Sample): sample is Sample & Latencies => sample.p99Ms !== undefined

type Measured = { readonly subject: Subject; readonly samples: Sample[]; readonly latencies: Latencies[]; readonly loadedMiB: number[] }

/** Collects the measurements of each row over all starts. */
export class Tally {
  readonly #rows = new Map<string, Measured>()

  /** @param round is run `plan.rounds` times */
  async add(directory: string, subjects: readonly Subject[], plan: Plan, round: Round = sliced): Promise<void> {
    const rows = subjects.map(subject => this.#rowOf(subject))
    for (let i = 0; i < plan.rounds; i++) {
      const samples = await round(directory, subjects, plan)
      for (const [at, row] of rows.entries()) row.samples.push(...samples.slice(at, at + 1))
    }
    for (const [at, { load, pids }] of subjects.entries()) {
      const { samples, latencies, loadedMiB } = rows[at] as Measured
      const measured = samples.slice(-plan.rounds).filter(hasLatencies)
      latencies.push(...(measured.length > 0 ? measured : [await runWrk(directory, load, plan.seconds)]))
      loadedMiB.push(residentMiB(pids))
    }
  }

  rows(): Array<Row | Broken> {
    return [...this.#rows.values()].map(summarize)
  }

  #rowOf(subject: Subject): Measured {
    const row = this.#rows.get(subject.system) ?? { subject, samples: [], latencies: [], loadedMiB: [] }
    this.#rows.set(subject.system, row)
    return row
  }
}

/** Runs each start in a new world and measures its subjects. */
export async function alternate(
  inWorld: InWorld,
  plan: Plan,
  start: (world: World) => Promise<readonly Subject[]>,
  round?: Round
): Promise<Array<Row | Broken>> {
  const tally = new Tally()
  for (let i = 0; i < plan.starts; i++) {
    await inWorld(async world => {
      const subjects = await start(world)
      await warmUp(world.directory, subjects, plan.warmUpSeconds)
      await tally.add(world.directory, subjects, plan, round)
    })
  }
  return tally.rows()
}

export async function warmUp(directory: string, subjects: readonly Subject[], seconds: number): Promise<void> {
  for (const { load } of subjects) await runWrk(directory, load, seconds)
}

function summarize({ subject: { system, title }, samples, latencies, loadedMiB }: Measured): Row | Broken {
  const error = samples.find(run => run.error !== undefined)?.error
  if (error !== undefined) return { system, title, broken: error }
  const rates = samples.map(({ requests, seconds }) => requests / seconds)
  const of = (field: Share) => median(samples.map(run => run[field]))
  const ofLatencies = (field: keyof Latencies) => median(latencies.map(latency => latency[field]))
  return {
    system,
    title,
    rate: round(median(rates), 1),
    rates: rates.map(rate => round(rate, 1)),
    p50Ms: round(ofLatencies('p50Ms'), 100),
    p99Ms: round(ofLatencies('p99Ms'), 100),
    cpuMicros: round(of('cpuMicros'), 10),
    testedBusy: round(of('testedBusy'), 100),
    loadBusy: round(Math.min(1, of('loadBusy')), 100),
    elsewhere: round(of('elsewhere'), 100),
    loadedMiB: round(median(loadedMiB), 10)
  }
}

const round = (value: number, steps: number) => Math.round(value * steps) / steps
