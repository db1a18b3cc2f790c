import t from 'tap'
import type { Check } from '../../src/doctor/finding.ts'
import { formatFindings } from '../../src/doctor/report.ts'
import { runChecks } from '../../src/doctor/run-checks.ts'

const check = (subject: string, run: Check['run']): Check => ({ area: 'process', subject, run })

t.test('findings are in the order of the checks, whichever ends first', async t => {
  const gate = Promise.withResolvers<void>()
  const findings = await runChecks(
    [
      check('slow', async report => {
        await gate.promise
        report.ok('well')
      }),
      check('fast', report => {
        report.ok('well')
        gate.resolve()
      })
    ],
    10_000
  )
  t.strictSame(
    findings.map(({ subject }) => subject),
    ['slow', 'fast']
  )
})

t.test('a check that does not end is an error, and is told to end', async t => {
  let isAborted = false
  const late = Promise.withResolvers<void>()
  const findings = await runChecks(
    [
      check('stuck', async (report, signal) => {
        report.ok('the first part')
        await new Promise(resolve => signal.addEventListener('abort', resolve))
        isAborted = true
        report.ok('the second part')
        late.resolve()
      })
    ],
    20
  )
  await late.promise
  t.ok(isAborted)
  t.match(findings, [
    { level: 'ok', message: 'the first part' },
    { level: 'error', subject: 'stuck', message: /not finished/, cure: /Run it again/ }
  ])
  t.equal(findings.length, 2)
})

t.test('a check that fails is an error without its message, and stops no other', async t => {
  const failing = check('failing', () => {
    throw Object.assign(new TypeError('secret-canary'), { code: 'ERR_CANARY' })
  })
  const findings = await runChecks([failing, check('fine', report => report.ok('well'))], 10_000)
  t.match(findings, [
    { level: 'error', subject: 'failing', message: /TypeError ERR_CANARY .*run-checks\.test/, cure: /bug/ },
    { level: 'ok', subject: 'fine' }
  ])
  t.notMatch(JSON.stringify(findings), 'secret-canary')
})

t.test('each finding is a line, followed by its cure', async t => {
  const text = formatFindings([
    { level: 'ok', area: 'keys', subject: 'TOKEN_KEYS', message: 'one key' },
    { level: 'warning', area: 'store', subject: 'redis://host:1/0', message: 'only\nsnapshots', cure: 'Set appendonly yes.' },
    { level: 'error', area: 'issuer', subject: 'https://id.example', message: 'bad', cure: 'Correct it.' }
  ])
  t.strictSame(text.split('\n'), [
    'ok    keys: TOKEN_KEYS: one key',
    'warn  store: redis://host:1/0: only snapshots',
    '      -> Set appendonly yes.',
    'FAIL  issuer: https://id.example: bad',
    '      -> Correct it.',
    '',
    '1 error, 1 warning, 1 ok.',
    ''
  ])
})
