import { connectionsFor, maxDescriptors } from '../server/connection-limit.ts'
import type { Check } from './finding.ts'

const minNodeVersion = 24
/** Below, less is left for clients than a busy page with event streams needs of a few hundred users. */
const fewConnections = 1_000

type Machine = {
  readonly nodeVersion: string /** The limit of file descriptors; `undefined` on systems that do not tell it. */
  readonly descriptors: number | undefined
}

/** What the gateway would run on, if it ran where this check does. */
export const processCheck = (
  { nodeVersion, descriptors }: Machine = { nodeVersion: process.versions.node, descriptors: maxDescriptors() }
): Check => ({
  area: 'process',
  subject: 'this machine',
  run(report) {
    if (Number.parseInt(nodeVersion, 10) < minNodeVersion)
      report.error(`Node ${nodeVersion} is too old`, `Install Node ${minNodeVersion} or newer.`)
    else report.ok(`Node ${nodeVersion}`)
    if (descriptors === undefined) return
    const connections = connectionsFor(descriptors).toLocaleString('en-US')
    const text = `the file descriptor limit of ${descriptors.toLocaleString('en-US')} leaves ${connections} connections of clients`
    if (connectionsFor(descriptors) < fewConnections)
      report.warning(
        text,
        'Raise it for the gateway: ulimit -n 65536, LimitNOFILE=65536 in systemd. The gateway may have another than this shell.'
      )
    else report.ok(text)
  }
})
