import t, { type Test } from 'tap'
import { runCommand } from '../support/command.ts'
import { newKey } from '../support/gateway.ts'
import { startUserGateway } from '../support/users.ts'

/** The environment of a gateway in whose store a user has a connection. */
async function startWithConnection(t: Test) {
  const own = { SESSION_KEYS: newKey(), TOKEN_KEYS: newKey(), DATA_DIR: t.testdir() }
  const world = await startUserGateway(t, { environment: own })
  await world.connect('ada')
  return { ...world.provider.environment, ...own }
}

t.test('what an older key has sealed is resealed, and only once', async t => {
  const environment = await startWithConnection(t)
  const rotated = { ...environment, TOKEN_KEYS: `${newKey()},${environment.TOKEN_KEYS}` }
  const first = await runCommand(t, rotated, 'reseal')
  t.equal(first.code, 0, first.output)
  t.match(first.output, /^SQLite file .+\n\d+ records of \d+ users: [1-9]\d* resealed/)
  const second = await runCommand(t, rotated, 'reseal')
  t.equal(second.code, 0)
  t.match(second.output, / users: 0 resealed/)
  const { code, output } = await runCommand(t, rotated, 'reseal', '--json')
  t.equal(code, 0)
  t.match(JSON.parse(output), { store: /^SQLite file/, resealed: 0, unreadable: 0, skipped: 0 })
})

t.test('records that no key opens exit with 1', async t => {
  const environment = await startWithConnection(t)
  const { code, output } = await runCommand(t, { ...environment, TOKEN_KEYS: newKey() }, 'reseal')
  t.equal(code, 1)
  t.match(output, /cannot be opened with any of TOKEN_KEYS/)
})

t.test('an argument exits with 64 and opens no store', async t => {
  const { code, output } = await runCommand(t, { DATA_DIR: '/dev/null' }, 'reseal', '--all')
  t.equal(code, 64)
  t.match(output, /^Usage: grantkeeper reseal/m)
})

t.test('an invalid environment exits with 78', async t => {
  const { code, output } = await runCommand(t, { TOKEN_KEYS: 'x' }, 'reseal')
  t.equal(code, 78)
  t.match(output, /TOKEN_KEYS/)
})
