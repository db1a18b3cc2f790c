import { Tally, warmUp } from '../rounds.ts'
import { type Plan, type Subject, unsliced } from '../sampling.ts'
import type { World } from '../system.ts'
import { startGrantkeeper } from '../systems/grantkeeper.ts'
import type { Topic } from '../topic.ts'
import { runWrk } from '../wrk.ts'
import { subject } from './subject.ts'

/** The load per process, as a share of one process's top rate: low enough that two processes and the load fit on two cores. */
const share = 0.3

/**
 * Compares one worker with two on both cores. Without a third core for the load, throughput says nothing, so the CPU time per request
 * tells how much more two workers would serve on two cores of their own. Each process gets the same rate, because a less busy process
 * handles fewer requests per turn of its event loop and so spends more on each.
 */
export const workers: Topic = {
  name: 'workers',
  async run(inWorld, plan) {
    const tally = new Tally()
    for (let i = 0; i < plan.starts; i++) await inWorld(world => addStart(tally, world, plan))
    const rows = tally.rows()
    const [cpuOfOne, cpuOfTwo] = rows.map(row => ('cpuMicros' in row ? row.cpuMicros : Number.NaN)) as [number, number]
    return {
      tables: [
        {
          name: 'workers',
          title: 'Grantkeeper, Redis: workers, each at the same rate, beside the load on the same two cores',
          base: 'one',
          compares: 'rate',
          note: `To each go ${share * 100} % of the calls that one serves at most; what counts is the CPU time of a request.`,
          rows
        }
      ],
      figures: [
        {
          what: 'Grantkeeper, Redis: what two workers on two cores of their own serve beside one, by CPU time a call',
          value: (2 * cpuOfOne) / cpuOfTwo,
          unit: 'times',
          note: `computed: ${cpuOfOne} and ${cpuOfTwo} µs a call`
        }
      ]
    }
  }
}

async function addStart(tally: Tally, world: World, plan: Plan): Promise<void> {
  const start = (environment?: Record<string, string>) =>
    startGrantkeeper(world, 1, { store: 'Redis', besideLoad: true, ...(environment && { environment }) })
  const [one, two] = [subject('one', 'one process', await start()), subject('two', 'WORKERS=2', await start({ WORKERS: '2' }))]
  await warmUp(world.directory, [two, one], plan.warmUpSeconds)
  const { requests, seconds } = await runWrk(world.directory, one.load, plan.seconds)
  const bounded = (of: Subject, workers: number): Subject => ({ ...of, load: { ...of.load, rate: (requests / seconds) * share * workers } })
  await tally.add(world.directory, [bounded(one, 1), bounded(two, 2)], plan, unsliced)
}
