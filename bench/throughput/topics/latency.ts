import { type Plan, type Sample, type Subject, sample, summary } from '../rounds.ts'
import { latchkey } from '../systems/latchkey.ts'
import { plain } from '../systems/plain.ts'
import type { Topic } from '../topic.ts'
import { runWrk } from '../wrk.ts'
import { subject } from './subject.ts'

const base = 'dispatch'
const share = 0.7
const compared = [...plain.filter(({ name }) => name === base), ...latchkey]

/** How long calls wait while there is still some room. */
export const latency: Topic = {
  name: 'latency',
  async run(world, plan) {
    const taken = new Map<Subject, Sample[]>()
    for (const system of compared) taken.set(subject(system.name, system.title, await system.start(world, 1)), [])
    for (const { load } of taken.keys()) await runWrk(plan.directory, load, plan.warmUpSeconds)
    for (let round = 0; round < plan.rounds; round++) {
      for (const [subject, samples] of taken) samples.push(await belowTop(subject, plan))
    }
    const rows = [...taken].map(([subject, samples]) => summary(subject, samples))
    const title = `Latency at ${share * 100} % of the top rate`
    const note =
      'The top rate is what the same system reached right before, in each round. Calls are sent at random times (Poisson), whatever the ' +
      'answers do, to the millisecond, over at most 48 connections.'
    return { tables: [{ name: 'latency', title, base, compares: 'p99Ms', note, rows }] }
  }
}

async function belowTop(subject: Subject, plan: Plan): Promise<Sample> {
  const { requests, seconds } = await runWrk(plan.directory, subject.load, plan.seconds)
  return sample({ ...subject, load: { ...subject.load, rate: (requests / seconds) * share } }, plan)
}
