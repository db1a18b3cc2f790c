import t from 'tap'
import { pythonModules } from '../support/programs.ts'
import { curl, python } from './programs.ts'
import { servesIt } from './setup.ts'

t.test('curl is served as by any other API', t => servesIt(t, curl))

for (const library of pythonModules) {
  t.test(`${library}, of Python, is served as by any other API`, async t => {
    const client = python(library)
    t.teardown(client.close)
    await servesIt(t, client)
  })
}
