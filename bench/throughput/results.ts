import { median } from './median.ts'
import type { Broken, Row } from './rounds.ts'

/** Rows that were measured in the same rounds. */
export type Table = {
  readonly name: string
  readonly title: string
  /** The system whose ratio is 1.00. */
  readonly base: string
  /** What the ratio compares: requests per second, or latency. */
  readonly compares: 'rate' | 'p99Ms'
  readonly rows: ReadonlyArray<Row | Broken>
  readonly note?: string
}

/** A single figure outside the tables. */
export type Figure = { readonly what: string; readonly value: number; readonly unit: 'ms' | 'MiB' | 'times'; readonly note?: string }

export type Results = {
  readonly date: string
  readonly machine: { readonly node: string; readonly cpu: string }
  /** Starts of every system; `rounds` is per start. */
  readonly starts: number
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  readonly systems: ReadonlyArray<{ readonly name: string; readonly title: string; readonly setUp: string; readonly idleMiB?: number }>
  /** Systems that were not measured, with the reason. */
  readonly missing: ReadonlyArray<{ readonly what: string; readonly why: string }>
  readonly tables: readonly Table[]
  readonly figures: readonly Figure[]
}

export const isMeasured = (row: Row | Broken): row is Row => !('broken' in row)

/**
 * The ratio to the base of the table; `undefined` when either is not measured. Rates are compared round by round, since other work on the
 * machine changes more slowly than rounds alternate.
 */
export function ratio({ base, compares, rows }: Table, row: Row | Broken): number | undefined {
  const baseRow = rows.find(({ system }) => system === base)
  if (!baseRow || !isMeasured(baseRow) || !isMeasured(row)) return undefined
  if (compares === 'p99Ms') return row.p99Ms / baseRow.p99Ms
  return median(row.rates.map((rate, round) => rate / (baseRow.rates[round] ?? 0)))
}

/** Whether the load's core was full while the tested core was not: the system could serve more than the figure says. */
export const isLoadBound = ({ loadBusy, testedBusy }: Row): boolean => loadBusy > 0.95 && testedBusy < 0.95

/** The share of other work on the two cores above which figures are rough. */
const maxQuietShare = 0.1

/** The largest share of other work in any row, if it is above the limit. */
export function noiseOf({ tables }: Results): number | undefined {
  const share = Math.max(0, ...tables.flatMap(({ rows }) => rows.filter(isMeasured).map(({ elsewhere }) => elsewhere)))
  return share > maxQuietShare ? share : undefined
}
