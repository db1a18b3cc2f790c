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

const workloadNames = [...workloads, ...topics].map(({ name }) => name)

export const usage = `npm run bench -- [options]
  --only=NAME,…   ${systems.map(({ name }) => name).join(', ')}
  --work=NAME,…   ${workloadNames.join(', ')}
  --starts=N      starts of every system         3
  --rounds=N      rounds per start and workload  3
  --seconds=S     seconds per round              1
With --only or --work nothing is written to bench/results.
`

/** @throws {RangeError} for an invalid option; its message is for the user */
export function readOptions(args: readonly string[]): Options {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...args],
    options: { only: text, work: text, starts: text, rounds: text, seconds: text, help: { type: 'boolean', default: false } }
  })
  return {
    only: namesOf('only', values.only, new Set(systems.map(({ name }) => name))),
    work: namesOf('work', values.work, new Set(workloadNames)),
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
  if (unknown.length > 0) throw new RangeError(`--${option}: ${unknown.join(', ')} is not one of ${[...known].join(', ')}`)
  return names
}

function wholeNumber(option: string, text: string | undefined, defaultValue: number, max: number): number {
  const value = Number(text ?? defaultValue)
  if (!Number.isInteger(value) || value < 1 || value > max) throw new RangeError(`--${option} must be a whole number from 1 to ${max}`)
  return value
}
