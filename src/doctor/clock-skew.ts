import type { Reporter } from './finding.ts'

/** Sessions, leases and tokens tolerate seconds of difference; a minute is the leeway of tokens. */
const warningMs = 5_000
const errorMs = 60_000

type Skew = {
  /** What the other clock shows, in milliseconds since the epoch. */
  readonly otherMs: number
  /** What this machine's clock showed meanwhile. */
  readonly ownMs: number
  /** How coarse the other clock is, in milliseconds. */
  readonly resolutionMs?: number
}

/** Compares this machine's clock with another one. */
export function reportClockSkew(report: Reporter, { otherMs, ownMs, resolutionMs = 0 }: Skew): void {
  const skewMs = Math.max(0, Math.abs(otherMs - ownMs) - resolutionMs)
  const direction = ownMs > otherMs ? 'ahead of' : 'behind'
  const seconds = (skewMs / 1000).toLocaleString('en-US', { maximumFractionDigits: 1 })
  const cure = 'Synchronize the clocks of both machines (NTP): chronyc tracking, or timedatectl.'
  if (skewMs <= warningMs) report.ok(`its clock and this machine’s differ by less than ${warningMs / 1000} s`)
  else if (skewMs <= errorMs) report.warning(`this machine’s clock is ${seconds} s ${direction} its clock`, cure)
  else report.error(`this machine’s clock is ${seconds} s ${direction} its clock: tokens and sessions are taken for expired`, cure)
}
