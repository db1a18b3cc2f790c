import { alternate } from '../rounds.ts'
import { startGrantkeeper } from '../systems/grantkeeper.ts'
import type { Topic } from '../topic.ts'
import { subject } from './subject.ts'

/** The cost of one log line per request, written to a file as under a service manager. */
export const accessLog: Topic = {
  name: 'access-log',
  async run(inWorld, plan) {
    const rows = await alternate(inWorld, plan, async world => {
      const off = await startGrantkeeper(world, 1, { store: 'Redis', environment: { LOG_LEVEL: 'warn' } })
      const on = await startGrantkeeper(world, 1, { store: 'Redis' })
      return [subject('off', 'access log off (LOG_LEVEL=warn)', off), subject('on', 'access log on (the default)', on)]
    })
    return { tables: [{ name: 'access-log', title: 'Grantkeeper, Redis: access log', base: 'off', compares: 'rate', rows }] }
  }
}
