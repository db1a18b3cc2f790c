import { parseArgs } from 'node:util'
import { systems } from './systems.ts'
import { topics } from './topics.ts'
import { workloads } from './workloads.ts'

export type Options = {
  readonly only: ReadonlySet<string> | undefined
  readonly work: ReadonlySet<string> | undefined
  readonly starts: number
  readonly rounds: number
  readonly seconds: number
  readonly help: boolean
}

const workNames = [...workloads, ...topics].map(({ name }) => name)

export const usage = `npm run bench -- [options]
  --only=NAME,…   ${systems.map(({ name }) => name).join(', ')}
  --work=NAME,…   ${workNames.join(', ')}
  --starts=N      of all that is compared         3
  --rounds=N      at each start, in each work     3
  --seconds=S     of one round                    1
With --only or --work nothing is written to bench/results.
`

/** @throws {RangeError} saying what is wrong */
export function readOptions(args: readonly string[]): Options {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...args],
    options: { only: text, work: text, starts: text, rounds: text, seconds: text, help: { type: 'boolean', default: false } }
  })
  return {
    only: namesOf('only', values.only, new Set(systems.map(({ name }) => name))),
    work: namesOf('work', values.work, new Set(workNames)),
    starts: wholeNumber('starts', values.starts, 3, 50),
    rounds: wholeNumber('rounds', values.rounds, 3, 50),
    seconds: wholeNumber('seconds', values.seconds, 1, 60),
    help: values.help
  }
}

function namesOf(option: string, list: string | undefined, known: ReadonlySet<string>): Set<string> | undefined {
  if (list === undefined) return undefined
  const names = new Set(list.split(','))
  const unknown = [...names].filter(name => !known.has(name))
  if (unknown.length > 0) throw new RangeError(`--${option}: ${unknown.join(', ')} is none of ${[...known].join(', ')}`)
  return names
}

function wholeNumber(option: string, text: string | undefined, usual: number, most: number): number {
  const value = Number(text ?? usual)
  if (!Number.isInteger(value) || value < 1 || value > most) throw new RangeError(`--${option} must be a whole number from 1 to ${most}`)
  return value
}
