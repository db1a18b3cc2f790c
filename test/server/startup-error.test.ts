import t from 'tap'
import { defineProvider } from '../../src/core/provider/define-provider.ts'
import { exitCode, startupErrorMessage } from '../../src/server/startup-error.ts'
import { providerWith } from '../core/support.ts'

t.test('an invalid definition is a problem of the configuration, told without a stack', async t => {
  try {
    defineProvider(providerWith({ color: 'red' }))
    t.fail('is valid')
  } catch (error) {
    t.equal(startupErrorMessage(error as Error), 'provider "acme": color must be #rrggbb')
    t.equal(exitCode(error as Error), 78)
  }
})
