import { alternate } from '../rounds.ts'
import { startLatchkey } from '../systems/latchkey.ts'
import type { Topic } from '../topic.ts'
import { subject } from './subject.ts'

/**
 * One worker and two, on both cores and beside the load, which has no third: so the rates say less than what a call costs in CPU time,
 * by which two workers on two cores of their own would serve that much more.
 */
export const workers: Topic = {
  name: 'workers',
  async run(world, plan) {
    const start = (environment?: Record<string, string>) =>
      startLatchkey(world, 1, { store: 'Redis', besideLoad: true, ...(environment && { environment }) })
    const [one, two] = [await start(), await start({ WORKERS: '2' })]
    const rows = await alternate([subject('one', 'one process', one), subject('two', 'WORKERS=2', two)], plan)
    const [cpuOfOne, cpuOfTwo] = rows.map(row => ('cpuMicros' in row ? row.cpuMicros : Number.NaN)) as [number, number]
    return {
      tables: [
        {
          name: 'workers',
          title: 'Latchkey, Redis: workers, beside the load on the same two cores',
          base: 'one',
          compares: 'rate',
          note: 'Load, upstream and Redis share these cores: with two workers they are all full, so that the rate cannot double here.',
          rows
        }
      ],
      figures: [
        {
          what: 'Latchkey, Redis: two workers on two cores of their own, beside one, by CPU time a call',
          value: (2 * cpuOfOne) / cpuOfTwo,
          unit: 'times',
          note: `computed: ${cpuOfOne} and ${cpuOfTwo} µs a call`
        }
      ]
    }
  }
}
