import type { Topic } from '../topic.ts'

/** One worker on one core and two on two, the load bounded: once there is a setting for it. */
export const workers: Topic = {
  name: 'workers',
  run: async () => ({ missing: [{ what: '1 and 2 workers', why: 'Latchkey has no setting for workers yet' }] })
}
