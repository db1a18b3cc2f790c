import type { Test } from 'tap'
import type { RequestResult } from './load.ts'

/** Limit for every response, whatever the store does. Scheduling delay is not counted. The provider itself responds within milliseconds. */
export const maxResponseMs = 1500

const slowestMs = (results: readonly RequestResult[]): number => Math.round(Math.max(0, ...results.map(({ tookMs }) => tookMs)))

export function countOutcomes(results: readonly RequestResult[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

/** Median response time of the requests with this outcome. */
export function medianMs(results: readonly RequestResult[], outcome: string): number {
  const sorted = results
    .filter(result => result.outcome === outcome)
    .map(({ tookMs }) => tookMs)
    .toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** How long after `sinceMs` the last request ended that was not a 200. */
export const recoveryMs = (results: readonly RequestResult[], sinceMs: number): number =>
  Math.round(Math.max(0, ...results.filter(({ outcome }) => outcome !== '200').map(({ endMs }) => endMs - sinceMs)))

export function summarize(results: readonly RequestResult[]): string {
  const counted = Object.entries(countOutcomes(results)).map(([outcome, count]) => `${count} × ${outcome}`)
  const retried = results.filter(({ retries }) => retries > 0).length
  return [counted.join(', '), `slowest ${slowestMs(results)} ms`, ...(retried > 0 ? [`${retried} retried elsewhere`] : [])].join('; ')
}

/**
 * What no failure of a store or an instance may change: every request ends in time with a 200 or one of the `allowed` outcomes, and no
 * response changes the session cookie.
 */
export function assertServed(
  t: Test,
  label: string,
  results: readonly RequestResult[],
  allowed: readonly string[] = ['503 store_unavailable']
): void {
  t.comment(`${label}: ${summarize(results)}`)
  const others = Object.keys(countOutcomes(results)).filter(outcome => outcome !== '200' && !allowed.includes(outcome))
  t.same(others, [], `${label}: no outcome but 200 ${allowed.join(' ')}`)
  t.notSame(results, [], `${label}: there were requests`)
  t.ok(slowestMs(results) < maxResponseMs, `${label}: the slowest took ${slowestMs(results)} ms`)
  t.notOk(
    results.some(({ setsCookie }) => setsCookie),
    `${label}: no response sets a cookie`
  )
}
