import type { Test } from 'tap'
import type { RequestResult } from './load.ts'

/** However the store fails, and however busy the machine is: see lateness.ts for what is not counted. Answers of the provider itself take milliseconds here. */
export const maxResponseMs = 1500

const slowestMs = (calls: readonly RequestResult[]): number => Math.round(Math.max(0, ...calls.map(({ tookMs }) => tookMs)))

export function countOutcomes(results: readonly RequestResult[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

/** Half of the calls with this outcome were answered within that. */
export function medianMs(results: readonly RequestResult[], outcome: string): number {
  const sorted = results
    .filter(call => call.outcome === outcome)
    .map(({ tookMs }) => tookMs)
    .toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** How long after the moment the last call ended that the provider did not answer. */
export const recoveryMs = (results: readonly RequestResult[], sinceMs: number): number =>
  Math.round(Math.max(0, ...results.filter(({ outcome }) => outcome !== '200').map(({ endMs }) => endMs - sinceMs)))

export function summarize(results: readonly RequestResult[]): string {
  const counted = Object.entries(countOutcomes(results)).map(([outcome, count]) => `${count} × ${outcome}`)
  const retried = results.filter(({ retries }) => retries > 0).length
  return [counted.join(', '), `the slowest ${slowestMs(results)} ms`, ...(retried > 0 ? [`${retried} tried again elsewhere`] : [])].join(
    '; '
  )
}

/**
 * What no fault of a store or an instance may change: every call is answered in time, with the provider's answer or one of
 * `also`, and nobody is signed out.
 */
export function assertServed(
  t: Test,
  label: string,
  results: readonly RequestResult[],
  allowed: readonly string[] = ['503 store_unavailable']
): void {
  t.comment(`${label}: ${summarize(results)}`)
  const others = Object.keys(countOutcomes(results)).filter(outcome => outcome !== '200' && !allowed.includes(outcome))
  t.same(others, [], `${label}: no other answer than 200 ${allowed.join(' ')}`)
  t.notSame(results, [], `${label}: there were calls`)
  t.ok(slowestMs(results) < maxResponseMs, `${label}: the slowest took ${slowestMs(results)} ms`)
  t.notOk(
    results.some(({ setsCookie }) => setsCookie),
    `${label}: the cookie stays as it was`
  )
}
