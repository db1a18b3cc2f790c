import t from 'tap'
import { libraries } from './libraries.ts'
import { assertServes } from './setup.ts'

for (const [name, client] of Object.entries(libraries))
  t.test(`${name} works through the proxy as with any other API`, t => assertServes(t, client))
