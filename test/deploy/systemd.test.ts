import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ConfigError } from '../../src/config/environment.ts'
import { exitCode } from '../../src/server/startup-error.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { configOf, parseSeconds, readDockerfile, readText, shutdownSeconds, unknownNames, valuesOf } from './support.ts'

const unit = 'deploy/systemd/grantkeeper.service'

/** Settings of the unit, in their order. One that is set several times has several values. */
const settings = readText(unit)
  .split('\n')
  .flatMap(line => {
    const [, name, value] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? []
    return name === undefined || value === undefined ? [] : [[name, value] as const]
  })
const all = (name: string): string[] => settings.flatMap(([key, value]) => (key === name ? [value] : []))

/** What %S, %C and %d of systemd.unit(5) stand for. */
const specifiers = { '%S': '/var/lib', '%C': '/var/cache', '%d': '/run/credentials/grantkeeper.service' }
const expand = (value: string) => Object.entries(specifiers).reduce((text, [from, to]) => text.replaceAll(from, to), value)
const variables = Object.fromEntries(
  all('Environment')
    .flatMap(line => line.split(' '))
    .map(pair => [pair.slice(0, pair.indexOf('=')), expand(pair.slice(pair.indexOf('=') + 1))])
)

/** With what /etc/grantkeeper/grantkeeper.env adds, and a folder that this user can write to. */
const config = configOf({ ...variables, DATA_DIR: t.testdir(), PUBLIC_URL: 'https://connect.example.com', PROVIDERS: 'productboard' })

// systemd exists on Linux alone.
if (process.platform === 'linux')
  t.test('systemd-analyze finds nothing wrong with the unit', async t => {
    const file = join(temporaryFolder(t), 'grantkeeper.service')
    // Only that it exists is checked.
    writeFileSync(file, readText(unit).replace('/usr/bin/node', process.execPath))
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' })
    t.strictSame([status, stderr], [0, ''])
  })

t.test('the gateway knows the variables of the unit, and accepts them', async t => {
  t.strictSame(unknownNames(variables), [])
  t.ok(config.production)
})

t.test('the unit starts what the image starts', async t => {
  const [node, ...args] = JSON.parse(valuesOf(readDockerfile().at(-1) ?? [], 'CMD')[0] ?? '')
  t.strictSame(all('ExecStart'), [[`/usr/bin/${node}`, ...args].join(' ')])
})

t.test('each secret file that a variable names is a credential', async t => {
  const loaded = all('LoadCredential').map(value => `${specifiers['%d']}/${value.split(':')[0]}`)
  t.strictSame(
    Object.entries(variables).flatMap(([name, value]) => (name.endsWith('_FILE') ? [value] : [])),
    loaded
  )
})

t.test('the store and the cache are folders that systemd makes', async t => {
  t.equal(variables.DATA_DIR, `/var/lib/${all('StateDirectory')[0]}`)
  t.equal(variables.NODE_COMPILE_CACHE, `/var/cache/${all('CacheDirectory')[0]}`)
})

t.test('a stopped gateway has the time that its shutdown takes', async t => {
  t.ok(parseSeconds(all('TimeoutStopSec')[0]) > shutdownSeconds(config))
})

t.test('a configuration that was refused is not tried again', async t => {
  t.strictSame(all('RestartPreventExitStatus'), [`${exitCode(new ConfigError(['PORT is not a number.']))}`])
})
