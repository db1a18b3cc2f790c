import t from 'tap'
import { pythonModules } from '../support/programs.ts'
import { curl, python } from './programs.ts'
import { assertServes } from './setup.ts'

t.test('curl works through the proxy as with any other API', t => assertServes(t, curl))

for (const library of pythonModules) {
  t.test(`${library} (Python) works through the proxy as with any other API`, async t => {
    const client = python(library)
    t.teardown(client.close)
    await assertServes(t, client)
  })
}
