import { TimeoutError, withTimeout } from '../core/util/timeout.ts'
import { type Check, createReporter, type Finding } from './finding.ts'

/** Runs all checks concurrently. One that fails or takes longer than `timeoutMs` is a finding, and stops no other. @returns in their order */
export async function runChecks(checks: readonly Check[], timeoutMs: number): Promise<Finding[]> {
  return (await Promise.all(checks.map(check => runCheck(check, timeoutMs)))).flat()
}

async function runCheck({ area, subject, run }: Check, timeoutMs: number): Promise<Finding[]> {
  const findings: Finding[] = []
  const controller = new AbortController()
  // What a check finds after its time does not come too late for half of a report.
  const report = createReporter(area, subject, finding => {
    if (!controller.signal.aborted) findings.push(finding)
  })
  try {
    await withTimeout(
      timeoutMs,
      Promise.resolve().then(() => run(report, controller.signal))
    )
  } catch (error) {
    if (error instanceof TimeoutError)
      report.error(
        `this check was not finished after ${timeoutMs / 1000} s`,
        'Run it again. If that repeats, what it asks does not respond: look at its own log.'
      )
    else report.error(`this check failed: ${describeError(error)}`, 'This is a bug of Grantkeeper. Tell us with the command and this line.')
  } finally {
    controller.abort()
  }
  return findings
}

/** Without the message: a library's may repeat what was sent, secrets included. */
function describeError(error: unknown): string {
  const { name, code, stack } = error as NodeJS.ErrnoException
  const frame = stack?.split('\n').find(line => line.startsWith('    at '))
  return [name, code, frame?.trim()].filter(Boolean).join(' ')
}
