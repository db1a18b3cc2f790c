import type { Load, Measured } from './measure.ts'
import type { WorldOptions } from './world.ts'

export type Row = Omit<WorldOptions, 'faults'> & { readonly load: Load }

export type Sizes = { readonly expiries: number; readonly kills: number; readonly calls: number; readonly sessions: number }

/** Longer than it takes until another instance acquires the lease of a killed one. */
const graceMs = 30_000
const defaultConcurrency = 5

export function allRows({ expiries, kills, calls, sessions }: Sizes): Row[] {
  const undisturbed = { expiries, calls, sessions, concurrency: Math.min(defaultConcurrency, sessions), kill: false, faults: false }
  const killing = { expiries: kills, calls, sessions: 1, concurrency: 1, kill: true, faults: false }
  const faulty = { ...undisturbed, faults: true }
  return [
    ...[1, 2, 3].map((instances): Row => ({ program: 'Grantkeeper', instances, graceMs: 0, load: undisturbed })),
    ...[1, 2, 3].map((instances): Row => ({ program: 'Grantkeeper', instances, graceMs, load: killing })),
    { program: 'Grantkeeper', instances: 2, graceMs: 0, load: killing },
    { program: 'Grantkeeper', instances: 2, graceMs, load: faulty },
    { program: 'Grantkeeper', instances: 2, graceMs: 0, load: faulty },
    ...[1, 2].map((instances): Row => ({ program: 'baseline', instances, graceMs: 0, load: undisturbed }))
  ]
}

/** One row of each kind. */
export const quickRows = (sizes: Sizes): Row[] => allRows(sizes).filter(({ instances }) => instances === 2)

/** The rows of the gateway with three instances, for users whom a bearer names. */
export const bearerRows = (sizes: Sizes): Row[] =>
  allRows(sizes)
    .filter(({ program, instances }) => program === 'Grantkeeper' && instances === 3)
    .map(row => ({ ...row, bearers: true }))

/** Compares a row with what Grantkeeper guarantees. The baseline guarantees nothing. @returns each violation */
export function findViolations({ program, graceMs, load }: Row, measured: Measured): string[] {
  if (program === 'baseline') return []
  const { expiries, tokenCalls, withinGrace, reuses, failed, failures, sentAgain, signedInAgain } = measured
  // A killed holder's token request has reached the provider, as has one whose response was lost. No instance has the new tokens, so the
  // next renewal must send the old refresh token again.
  const second = load.kill ? expiries : measured.lost
  const lost = graceMs === 0
  const wanted = {
    'token calls': [tokenCalls, expiries + second],
    'of these within grace': [withinGrace, lost ? 0 : second],
    reuse: [reuses, lost ? second : 0],
    // No connection breaks unless an instance is killed.
    'sent again': [load.kill ? 0 : sentAgain, 0],
    // When the provider has revoked the grant, every request must be told so at once.
    'grants that were lost': [signedInAgain, lost ? second : 0],
    'failed calls that were not told to reconnect': [failed - (lost ? (failures.reconnect_required ?? 0) : 0), 0]
  }
  return Object.entries(wanted).flatMap(([name, [is, should]]) => (is === should ? [] : [`${name}: ${is} instead of ${should}`]))
}
