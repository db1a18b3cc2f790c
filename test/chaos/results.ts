import type { Test } from 'tap'
import type { Call } from './load.ts'

/** However the store fails, and however busy the machine is: see lateness.ts for what is not counted. Answers of the provider itself take milliseconds here. */
export const longestMs = 1500

const slowestMs = (calls: readonly Call[]): number => Math.round(Math.max(0, ...calls.map(({ tookMs }) => tookMs)))

export function outcomes(calls: readonly Call[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { outcome } of calls) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

/** Half of the calls with this outcome were answered within that. */
export function medianMs(calls: readonly Call[], outcome: string): number {
  const sorted = calls
    .filter(call => call.outcome === outcome)
    .map(({ tookMs }) => tookMs)
    .toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** How long after the moment the last call ended that the provider did not answer. */
export const wellAfterMs = (calls: readonly Call[], sinceMs: number): number =>
  Math.round(Math.max(0, ...calls.filter(({ outcome }) => outcome !== '200').map(({ endMs }) => endMs - sinceMs)))

export function inWords(calls: readonly Call[]): string {
  const counted = Object.entries(outcomes(calls)).map(([outcome, count]) => `${count} × ${outcome}`)
  const broken = calls.filter(({ breaks }) => breaks > 0).length
  return [counted.join(', '), `the slowest ${slowestMs(calls)} ms`, ...(broken > 0 ? [`${broken} tried again elsewhere`] : [])].join('; ')
}

/**
 * What no fault of a store or an instance may change: every call is answered in time, with the provider's answer or one of
 * `also`, and nobody is signed out.
 */
export function keepsFaith(t: Test, who: string, calls: readonly Call[], also: readonly string[] = ['503 store_unavailable']): void {
  t.comment(`${who}: ${inWords(calls)}`)
  const others = Object.keys(outcomes(calls)).filter(outcome => outcome !== '200' && !also.includes(outcome))
  t.same(others, [], `${who}: no other answer than 200 ${also.join(' ')}`)
  t.notSame(calls, [], `${who}: there were calls`)
  t.ok(slowestMs(calls) < longestMs, `${who}: the slowest took ${slowestMs(calls)} ms`)
  t.notOk(
    calls.some(({ setsCookie }) => setsCookie),
    `${who}: the cookie stays as it was`
  )
}
