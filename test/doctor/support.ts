import type { Test } from 'tap'
import { type DoctorOptions, diagnose } from '../../src/doctor/doctor.ts'
import type { Area, Finding } from '../../src/doctor/finding.ts'
import { newKey } from '../support/gateway.ts'

type Expected = {
  readonly level: Finding['level']
  readonly area: Area
  readonly subject?: RegExp
  readonly message: RegExp
  readonly cure?: RegExp
}

export type Diagnosis = {
  readonly findings: readonly Finding[]
  /** Asserts that there is such a finding, with a cure unless all is well. */
  has(expected: Expected): void
  /** Asserts that nothing is worse than a warning. */
  hasNoError(): void
}

/** Variables of a development set-up without any mistake. */
export const soundVariables = (t: Test): { SESSION_KEYS: string; TOKEN_KEYS: string; DATA_DIR: string } => ({
  SESSION_KEYS: newKey(),
  TOKEN_KEYS: newKey(),
  DATA_DIR: t.testdir()
})

/** Those of production, at a Redis where there is one. */
export const soundProduction = (t: Test): Record<string, string> => ({
  ...soundVariables(t),
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://connect.example.com',
  PROVIDERS: 'productboard'
})

export async function examine(t: Test, variables: Readonly<Record<string, string>>, options: DoctorOptions = {}): Promise<Diagnosis> {
  const findings = await diagnose(variables, options)
  return {
    findings,
    has({ level, area, subject = /./, message, cure = /./ }) {
      const found = findings.find(
        finding =>
          finding.level === level &&
          finding.area === area &&
          subject.test(finding.subject) &&
          message.test(finding.message) &&
          (finding.level === 'ok' || cure.test(finding.cure))
      )
      t.ok(found, `${level} of ${area}: ${message}`, { findings })
    },
    hasNoError: () =>
      t.strictSame(
        findings.filter(({ level }) => level === 'error'),
        []
      )
  }
}
