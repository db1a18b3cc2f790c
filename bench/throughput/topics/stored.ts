import { startRedis } from '../../../test/support/redis.ts'
import { inScope } from '../../scope.ts'
import { median } from '../median.ts'
import { residentMiB } from '../procfs.ts'
import type { Figure } from '../results.ts'
import { alternate } from '../rounds.ts'
import type { Plan, Subject } from '../sampling.ts'
import type { InWorld, World } from '../system.ts'
import { type Prepared, prepareGrantkeeper, type Variant } from '../systems/grantkeeper.ts'
import type { Topic } from '../topic.ts'
import { subject } from './subject.ts'

const counts = [1, 100, 10_000, 100_000]
const stores: ReadonlyArray<Variant['store']> = ['Redis', 'embedded']

/** Whether the number of stored sessions matters while only one of them is in use. */
export const stored: Topic = {
  name: 'stored',
  async run(inWorld, plan) {
    const tables = []
    const figures: Figure[] = []
    for (const store of stores) {
      const title = `Grantkeeper, ${store}: sessions stored`
      const { rows, idleMiB } = await inWorld(world => compare(world, store, plan))
      tables.push({ name: `stored-${store}`, title, base: '1', compares: 'rate' as const, rows })
      for (const [count, values] of idleMiB) {
        figures.push({ what: `idle, ${count.toLocaleString('en-US')} sessions stored, ${store}`, value: median(values), unit: 'MiB' })
      }
    }
    return { tables, figures }
  }
}

/** Fills the stores once for all starts, since that takes a while. */
async function compare(world: World, store: Variant['store'], plan: Plan) {
  const filled: Array<{ count: number; prepared: Prepared }> = []
  for (const count of counts) {
    // Each count needs its own Redis; an embedded store is separate anyway.
    const own = store === 'Redis' ? { ...world, redisUrl: (await startRedis(world.owner)).url } : world
    filled.push({ count, prepared: await prepareGrantkeeper(own, count, { store, called: 1 }) })
  }
  const idleMiB = new Map<number, number[]>(counts.map(count => [count, []]))
  const inSameStores: InWorld = use => inScope(owner => use({ ...world, owner }))
  const rows = await alternate(inSameStores, plan, async ({ owner }) => {
    const subjects: Subject[] = []
    for (const { count, prepared } of filled) {
      const running = await prepared.launch(owner)
      idleMiB.get(count)?.push(residentMiB(running.pids))
      subjects.push(subject(String(count), `${count.toLocaleString('en-US')} stored, one hot`, running))
    }
    return subjects
  })
  return { rows, idleMiB }
}
