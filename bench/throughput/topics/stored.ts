import { startRedis } from '../../../test/support/redis.ts'
import { residentMiB } from '../accounting.ts'
import type { Figure } from '../results.ts'
import { alternate } from '../rounds.ts'
import { startLatchkey, type Variant } from '../systems/latchkey.ts'
import type { Topic } from '../topic.ts'
import { subject } from './subject.ts'

const counts = [1, 100, 10_000, 100_000]
const stores: ReadonlyArray<Variant['store']> = ['Redis', 'embedded']

/** Whether it matters how many sessions lie in the store while one of them is in use. */
export const stored: Topic = {
  name: 'stored',
  async run(world, plan) {
    const tables = []
    const figures: Figure[] = []
    for (const store of stores) {
      const subjects = []
      for (const count of counts) {
        // Each with a store of its own: an embedded one has that anyway.
        const own = store === 'Redis' ? { ...world, redisUrl: (await startRedis(world.owner)).url } : world
        const running = await startLatchkey(own, count, { store, called: 1 })
        figures.push({
          what: `idle, ${count.toLocaleString('en-US')} sessions stored, ${store}`,
          value: residentMiB(running.pids),
          unit: 'MiB'
        })
        subjects.push(subject(String(count), `${count.toLocaleString('en-US')} stored, one hot`, running))
      }
      const rows = await alternate(subjects, plan)
      tables.push({ name: `stored-${store}`, title: `Latchkey, ${store}: sessions stored`, base: '1', compares: 'rate' as const, rows })
    }
    return { tables, figures }
  }
}
