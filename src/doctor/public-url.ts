import type { LookupFor } from '../core/ports.ts'
import { IssuerError } from '../identity/issuer-errors.ts'
import { createIssuerFetch } from '../identity/issuer-fetch.ts'
import type { DoctorContext } from './context.ts'
import type { Check, Reporter } from './finding.ts'

const timeoutMs = 4_000

/** Whether `PUBLIC_URL` leads to a gateway. It may not run yet, or not be reachable from here: that is no error. */
export const publicUrlCheck = ({ settings: { publicUrl }, hasPublicUrl, resolve }: DoctorContext): Check => ({
  area: 'addresses',
  subject: 'PUBLIC_URL',
  async run(report, signal) {
    if (!hasPublicUrl) return
    const lookupFor: LookupFor = () => resolve
    const fetch = createIssuerFetch({ lookupFor, timeoutMs })
    try {
      const { status, body } = await fetch(`${publicUrl}/health/live`, { what: 'the response', signal })
      if (status === 200 && body.toString() === '{"status":"live"}') report.ok(`a Grantkeeper responds at ${publicUrl}`)
      else reportOther(report, publicUrl, status)
    } catch (error) {
      if (!(error instanceof IssuerError)) throw error
      if (error.status !== undefined) reportOther(report, publicUrl, error.status)
      else if (error.code === 'ECONNREFUSED') report.ok(`nothing runs at ${publicUrl} yet`)
      else
        report.warning(
          `${publicUrl} cannot be reached from here (${error.code ?? 'no HTTP'})`,
          'If browsers cannot reach it either, correct its DNS or certificate.'
        )
    }
  }
})

const reportOther = (report: Reporter, publicUrl: string, status: number): void =>
  report.warning(
    `something else than Grantkeeper responds at ${publicUrl}/health/live (${status})`,
    'Let the load balancer pass all paths of this host to Grantkeeper, unchanged.'
  )
