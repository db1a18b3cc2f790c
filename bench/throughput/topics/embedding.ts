import { alternate } from '../rounds.ts'
import { startGrantkeeper } from '../systems/grantkeeper.ts'
import type { Topic } from '../topic.ts'
import { subject } from './subject.ts'

/** What the way through an application costs. Both log one line a request. */
export const embedding: Topic = {
  name: 'embedding',
  async run(inWorld, plan) {
    const rows = await alternate(inWorld, plan, async world => {
      const alone = await startGrantkeeper(world, 1, { store: 'Redis' })
      const embedded = await startGrantkeeper(world, 1, { store: 'Redis', embedded: true })
      return [subject('alone', 'a server of its own', alone), subject('embedded', 'a plugin of an application with five hooks', embedded)]
    })
    return { tables: [{ name: 'embedding', title: 'Grantkeeper, Redis: embedded', base: 'alone', compares: 'rate', rows }] }
  }
}
