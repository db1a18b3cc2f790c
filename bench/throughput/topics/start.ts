import { inScope } from '../../scope.ts'
import { median } from '../median.ts'
import { startLatchkey, type Variant } from '../systems/latchkey.ts'
import type { Topic } from '../topic.ts'

const stores: ReadonlyArray<Variant['store']> = ['Redis', 'embedded']

/** From the start of the process until it takes calls. */
export const start: Topic = {
  name: 'start',
  async run(world, { rounds }) {
    const taken = new Map(stores.map(store => [store, [] as number[]]))
    for (let i = 0; i < rounds; i++) {
      for (const [store, ms] of taken) ms.push((await inScope(owner => startLatchkey({ ...world, owner }, 0, { store }))).startMs)
    }
    return {
      figures: [...taken].map(([store, ms]) => ({
        what: `Latchkey, ${store}: start to ready`,
        value: median(ms),
        unit: 'ms' as const,
        note: `median of ${ms.length}, ${Math.round(Math.min(...ms))} to ${Math.round(Math.max(...ms))}`
      }))
    }
  }
}
