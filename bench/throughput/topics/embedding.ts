import { alternate } from '../rounds.ts'
import { startGrantkeeper } from '../systems/grantkeeper.ts'
import type { Topic } from '../topic.ts'
import { subject } from './subject.ts'

/** What the way through an application costs. Neither logs a line a request: that of an application is its own. */
export const embedding: Topic = {
  name: 'embedding',
  async run(inWorld, plan) {
    const rows = await alternate(inWorld, plan, async world => {
      const alone = await startGrantkeeper(world, 1, { store: 'Redis', environment: { LOG_LEVEL: 'warn' } })
      const embedded = await startGrantkeeper(world, 1, { store: 'Redis', embedded: true })
      return [subject('alone', 'a server of its own', alone), subject('embedded', 'a plugin of an application with five hooks', embedded)]
    })
    return {
      tables: [{ name: 'embedding', title: 'Grantkeeper, Redis: embedded, without an access log', base: 'alone', compares: 'rate', rows }]
    }
  }
}
