import { median } from './median.ts'
import type { Broken, Row } from './rounds.ts'

/** Rows beside each other, measured in the same rounds. */
export type Table = {
  readonly name: string
  readonly title: string
  /** The system whose figure is 1.00. */
  readonly base: string
  /** What the ratio compares: more requests a second, or a longer wait. */
  readonly compares: 'rate' | 'p99Ms'
  readonly rows: ReadonlyArray<Row | Broken>
  readonly note?: string
}

/** A figure that is no rate. */
export type Figure = { readonly what: string; readonly value: number; readonly unit: 'ms' | 'MiB' | 'times'; readonly note?: string }

export type Results = {
  readonly date: string
  readonly machine: { readonly node: string; readonly cpu: string }
  /** Of all that is compared; `rounds` is of each. */
  readonly starts: number
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  readonly systems: ReadonlyArray<{ readonly name: string; readonly title: string; readonly setUp: string; readonly idleMiB?: number }>
  /** What is not measured, and why. */
  readonly missing: ReadonlyArray<{ readonly what: string; readonly why: string }>
  readonly tables: readonly Table[]
  readonly figures: readonly Figure[]
}

export const isMeasured = (row: Row | Broken): row is Row => !('broken' in row)

/**
 * To the base of its table; `undefined` when either is not measured. Rates are compared round by round, since what else the machine does
 * comes and goes more slowly than they alternate.
 */
export function ratio({ base, compares, rows }: Table, row: Row | Broken): number | undefined {
  const one = rows.find(({ system }) => system === base)
  if (!one || !isMeasured(one) || !isMeasured(row)) return undefined
  if (compares === 'p99Ms') return row.p99Ms / one.p99Ms
  return median(row.rates.map((rate, round) => rate / (one.rates[round] ?? 0)))
}

/** The load's core was full while the system had something left: the system could do more than the figure says. */
export const isLoadBound = ({ loadBusy, testedBusy }: Row): boolean => loadBusy > 0.95 && testedBusy < 0.95

/** Other work on the two cores, beyond which figures are rough. */
const maxQuietShare = 0.1

/** The most that the machine did beside the bench, when that was too much. */
export function noiseOf({ tables }: Results): number | undefined {
  const most = Math.max(0, ...tables.flatMap(({ rows }) => rows.filter(isMeasured).map(({ elsewhere }) => elsewhere)))
  return most > maxQuietShare ? most : undefined
}
