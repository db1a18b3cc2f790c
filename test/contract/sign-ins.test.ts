import t from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import { fullDefinitions } from '../support/full-definitions.ts'
import { testAll } from './support.ts'

// What none of ours has yet, as a response in a form or an assertion in place of the secret, is in the others.
await testAll(t, [...(await loadProviders()), ...fullDefinitions], 'oauth2')
