import { alternate } from '../rounds.ts'
import { type Round, type Sample, type Subject, unsliced } from '../sampling.ts'
import type { World } from '../system.ts'
import { grantkeeper } from '../systems/grantkeeper.ts'
import { plain } from '../systems/plain.ts'
import type { Topic } from '../topic.ts'
import { runWrk } from '../wrk.ts'
import { subject } from './subject.ts'

const base = 'dispatch'
const share = 0.7
const compared = [...plain.filter(({ name }) => name === base), ...grantkeeper]

/** Latency below saturation. */
export const latency: Topic = {
  name: 'latency',
  async run(inWorld, plan) {
    const start = async (world: World) => {
      const subjects: Subject[] = []
      for (const system of compared) subjects.push(subject(system.name, system.title, await system.start(world, 1)))
      return subjects
    }
    const rows = await alternate(inWorld, plan, start, atShareOfPeak)
    const title = `Latency at ${share * 100} % of the top rate`
    const note =
      'The top rate is what the same system reached right before, in each round. Calls are sent at random times (Poisson), whatever the ' +
      'answers do, to the millisecond, over at most 48 connections.'
    return { tables: [{ name: 'latency', title, base, compares: 'p99Ms', note, rows }] }
  }
}

const atShareOfPeak: Round = async (directory, subjects, plan) => {
  const samples: Sample[] = []
  for (const subject of subjects) {
    const { requests, seconds } = await runWrk(directory, subject.load, plan.seconds)
    samples.push(...(await unsliced(directory, [{ ...subject, load: { ...subject.load, rate: (requests / seconds) * share } }], plan)))
  }
  return samples
}
