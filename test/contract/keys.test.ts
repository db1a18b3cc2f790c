import t from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import { testAll } from './support.ts'

await testAll(t, await loadProviders(), 'apiKey')
