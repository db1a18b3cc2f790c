import { createRequire } from 'node:module'
import t from 'tap'
import { buildConnector, Client, errors } from '../../src/upstream/undici.ts'

const { cache } = createRequire(import.meta.url)

t.test('only the needed parts of undici are loaded, and they equal its exports', async t => {
  const isLoaded = (name: string) => Object.keys(cache).some(file => file.replaceAll('\\', '/').endsWith(`/undici/${name}`))
  t.ok(isLoaded('lib/dispatcher/client.js'))
  t.notOk(isLoaded('index.js'))
  const whole = await import('undici')
  t.ok(isLoaded('index.js'))
  t.equal(Client, whole.Client)
  t.equal(buildConnector, whole.buildConnector)
  t.equal(errors.ConnectTimeoutError, whole.errors.ConnectTimeoutError)
})
