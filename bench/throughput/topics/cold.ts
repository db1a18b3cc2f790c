import { defaultRecordCacheLimits } from '../../../src/core/vault/record-cache.ts'
import { alternate } from '../rounds.ts'
import { startGrantkeeper, type Variant } from '../systems/grantkeeper.ts'
import type { Topic } from '../topic.ts'
import { maxSessions } from '../workloads.ts'
import { subject } from './subject.ts'

/** So many sessions in turn that each is evicted from the record cache before its next request: every request reads the store. */
const coldSessions = 2 * defaultRecordCacheLimits.maxOwners

const stores: ReadonlyArray<Variant['store']> = ['Redis', 'embedded']

/** The cost of requests whose session is not cached, compared with cached ones. */
export const cold: Topic = {
  name: 'cold',
  async run(inWorld, plan) {
    const tables = []
    for (const store of stores) {
      const rows = await alternate(inWorld, plan, async world => {
        const hotGateway = await startGrantkeeper(world, maxSessions, { store })
        const coldGateway = await startGrantkeeper(world, coldSessions, { store })
        return [
          subject('hot', 'hot: 1,000 sessions in turn', hotGateway, maxSessions),
          subject('cold', 'cold: each is read', coldGateway, coldSessions)
        ]
      })
      const title = `Grantkeeper, ${store}: sessions in memory and not`
      tables.push({ name: `cold-${store}`, title, base: 'hot', compares: 'rate' as const, rows })
    }
    return { tables }
  }
}
