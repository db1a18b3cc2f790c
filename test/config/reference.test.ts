import t from 'tap'
import { examineConfig, exampleVariables, readConfig } from '../../src/config/config.ts'
import type { Environment } from '../../src/config/environment.ts'
import { optionOf } from '../../src/config/options.ts'
import { variableGroups } from '../../src/config/reference.ts'
import * as data from './support.ts'

const { newKey } = data
const acme = { ...data.acme, parameters: { name: { title: 'Server', example: 'acme.example.com', isHost: true } } }

const documented = new Map(variableGroups.flatMap(({ variables }) => Object.entries(variables)))

t.test('the reference has exactly the variables that a start reads', async t => {
  const read = new Set<string>()
  const keys: Environment = { SESSION_KEYS: newKey(), TOKEN_KEYS: newKey() }
  const record: ProxyHandler<Record<string, string>> = {
    get: (_, name) => {
      if (typeof name === 'string' && !name.endsWith('_FILE')) read.add(name.replace(/^ACME_/, 'P_'))
      return keys[name as string]
    }
  }
  readConfig(new Proxy({}, record), [acme], 3000)
  t.strictSame([...documented.keys()].sort(), [...read].sort())
  const examples = [...exampleVariables([acme]).keys()].map(name => name.replace(/^ACME_/, 'P_'))
  t.strictSame(examples.sort(), [...read].sort(), 'each has an example')
})

t.test('its defaults are those that are in force', async t => {
  const defaultsOf = (variables: Environment) => {
    const { settings } = examineConfig(variables, [])
    return {
      HOST: settings.host,
      PORT: settings.port,
      DATA_DIR: settings.dataDir,
      SESSION_IDLE: settings.session.idleMs / 1000,
      SESSION_MAX: settings.session.maxMs / 1000,
      CONNECTION_IDLE: settings.connectionIdleMs / 1000,
      STORE_GRACE: settings.storeGraceMs / 1000,
      SIGN_INS_PER_MINUTE: settings.signInsPerAddress,
      WORKERS: settings.workers,
      SHUTDOWN_DELAY: settings.shutdown.delayMs / 1000,
      SHUTDOWN_TIMEOUT: settings.shutdown.timeoutMs / 1000,
      KEEP_ALIVE_TIMEOUT: settings.keepAliveMs / 1000,
      LOG_LEVEL: settings.logLevel
    }
  }
  const [anonymous, users] = [defaultsOf({}), defaultsOf({ LOGIN_ISSUER: 'https://login.example.com', LOGIN_CLIENT_ID: 'abc123' })]
  for (const [name, value] of Object.entries(anonymous)) {
    const fallback = documented.get(name)?.fallback
    t.ok(fallback?.startsWith(`\`${value}\``), `${name} is ${value}`)
    const ofUsers = users[name as keyof typeof users]
    t.equal(fallback?.includes(`with \`LOGIN_ISSUER\` \`${ofUsers}\``), ofUsers !== value, `${name} with sign-in of users`)
  }
  const { settings } = examineConfig({ LOGIN_ISSUER: 'https://login.example.com', LOGIN_CLIENT_ID: 'abc123' }, [])
  t.equal(documented.get('LOGIN_SCOPES')?.fallback, `\`${settings.login?.scopes.join(' ')}\``)
})

t.test('each variable has its option', async t => {
  t.equal(optionOf('LOGIN_CLIENT_ID'), 'login.clientId')
  t.equal(optionOf('P_CLIENT_ID'), 'clientId')
  t.equal(optionOf('P_PARAMETER_NAME'), 'parameters')
  t.equal(optionOf('PROVIDERS'), 'providers')
  t.equal(optionOf('WORKERS'), undefined)
})
