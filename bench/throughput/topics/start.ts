import { median } from '../median.ts'
import type { World } from '../system.ts'
import { startGrantkeeper } from '../systems/grantkeeper.ts'
import type { Topic } from '../topic.ts'

const starts: ReadonlyArray<readonly [what: string, start: (world: World) => Promise<{ readonly startMs: number }>]> = [
  ['Grantkeeper, Redis: start to ready', world => startGrantkeeper(world, 0, { store: 'Redis' })],
  ['Grantkeeper, embedded: start to ready', world => startGrantkeeper(world, 0, { store: 'embedded' })]
]

/** Time from the start of the process until it is ready for requests. */
export const start: Topic = {
  name: 'start',
  async run(inWorld, { starts: times, rounds }) {
    const measured = starts.map(([what, start]) => ({ what, start, ms: [] as number[] }))
    for (let i = 0; i < times * rounds; i++) {
      for (const { start, ms } of measured) ms.push((await inWorld(start)).startMs)
    }
    return {
      figures: measured.map(({ what, ms }) => ({
        what,
        value: median(ms),
        unit: 'ms' as const,
        note: `median of ${ms.length}, ${Math.round(Math.min(...ms))} to ${Math.round(Math.max(...ms))}`
      }))
    }
  }
}
