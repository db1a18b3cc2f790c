import t from 'tap'
import type { Finding } from '../../src/doctor/finding.ts'
import { processCheck } from '../../src/doctor/process.ts'
import { runChecks } from '../../src/doctor/run-checks.ts'

const examine = (nodeVersion: string, descriptors: number | undefined): Promise<Finding[]> =>
  runChecks([processCheck({ nodeVersion, descriptors })], 10_000)

t.test('the Node that runs the tests is new enough', async t => {
  t.match(await runChecks([processCheck()], 10_000), [{ level: 'ok', message: `Node ${process.versions.node}` }])
})

t.test('an old Node is an error', async t => {
  t.match(await examine('22.19.0', 65_536), [
    { level: 'error', message: 'Node 22.19.0 is too old', cure: /Install Node 24/ },
    { level: 'ok' }
  ])
})

t.test('a low file descriptor limit is a warning with what it leaves for clients', async t => {
  t.match(await examine('26.0.0', 1024), [{ level: 'ok' }, { level: 'warning', message: /limit of 1,024 leaves 512 /, cure: /ulimit -n/ }])
})

t.test('a system that tells no limit is no finding', async t => {
  t.equal((await examine('26.0.0', undefined)).length, 1)
})
