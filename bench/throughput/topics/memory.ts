import { setTimeout as sleep } from 'node:timers/promises'
import { residentMiB } from '../accounting.ts'
import { median } from '../median.ts'
import { alternate } from '../rounds.ts'
import { startLatchkey } from '../systems/latchkey.ts'
import type { Topic } from '../topic.ts'
import { subject } from './subject.ts'

const hotSessions = 10_000
const mostPairs = 3
const restMs = 1000

/** What the process itself needs, and what 10,000 hot sessions add to it. */
export const memory: Topic = {
  name: 'memory',
  async run(world, plan) {
    const idle: number[] = []
    const added: number[] = []
    const pairs = Math.min(plan.rounds, mostPairs)
    for (let i = 0; i < pairs; i++) {
      // The heap grows under any load: so the same load again, on one session.
      const pair = [
        await startLatchkey(world, hotSessions, { store: 'Redis' }),
        await startLatchkey(world, hotSessions, { store: 'Redis' })
      ] as const
      await sleep(restMs)
      idle.push(...pair.map(({ pids }) => residentMiB(pids)))
      const subjects = [subject('many', '', pair[0], hotSessions), subject('one', '', pair[1])]
      await alternate(subjects, { ...plan, rounds: 3, warmUpSeconds: 0 })
      await sleep(restMs)
      const [many, one] = pair.map(({ pids }) => residentMiB(pids))
      added.push((many ?? 0) - (one ?? 0))
    }
    return {
      figures: [
        { what: 'Latchkey, Redis: idle', value: median(idle), unit: 'MiB', note: 'resident, a second after its start' },
        {
          what: 'Latchkey, Redis: 10,000 hot sessions add',
          value: median(added),
          unit: 'MiB',
          note: `beyond the same load on one session; ${pairs} pairs: ${added.map(Math.round).join(', ')}`
        }
      ]
    }
  }
}
