import { mock } from 'node:test'
import t, { type Test } from 'tap'
import type { Connection } from '../../src/core/connection.ts'
import { createRevocation } from '../../src/core/revocation.ts'
import { TokenEndpointError } from '../../src/core/token-answer.ts'
import type { TokenEndpoint } from '../../src/core/token-endpoint.ts'
import { connectionWith, hour, minute, second } from './support.ts'

const settled = () => new Promise(setImmediate)

/** A provider that fails so many times before it says yes. Timers stand until the test moves them. */
function begin(t: Test, { failures = 0, answer }: { failures?: number; answer?: () => Promise<void> } = {}) {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const asked: Connection[] = []
  const givenUp: string[] = []
  const endpoint: Pick<TokenEndpoint, 'revoke'> = {
    async revoke(connection) {
      asked.push(connection)
      await answer?.()
      if (asked.length <= failures) throw new TokenEndpointError('unavailable', 'the endpoint answered 503')
    }
  }
  const revocation = createRevocation({
    endpointOf: name => (name === 'acme' ? (endpoint as TokenEndpoint) : undefined),
    onGivenUp: provider => givenUp.push(provider)
  })
  t.teardown(() => revocation.close())
  const elapse = async (ms: number) => {
    mock.timers.tick(ms)
    await settled()
  }
  return { ...revocation, asked, givenUp, elapse }
}

t.test('SEC-15: a grant is revoked at its provider, once', async t => {
  const { revoke, asked, elapse } = begin(t)
  const connection = connectionWith()
  await revoke(connection)
  t.strictSame(asked, [connection])
  await elapse(24 * hour)
  t.equal(asked.length, 1)
})

t.test('SEC-15: where there is nothing to revoke nobody is asked', async t => {
  const { revoke, asked, givenUp } = begin(t)
  await revoke(connectionWith({ provider: 'unconfigured' }))
  await revoke(connectionWith({ method: 'api_key' }))
  t.strictSame([asked, givenUp], [[], []])
})

t.test('SEC-15: a provider that fails is asked again after 5 s, 1 min, 10 min and 1 h, until it says yes', async t => {
  const { revoke, asked, givenUp, elapse } = begin(t, { failures: 4 })
  await revoke(connectionWith())
  t.equal(asked.length, 1, 'the person does not wait for the second try')
  for (const [i, delayMs] of [5 * second, minute, 10 * minute, hour].entries()) {
    await elapse(delayMs - 1)
    t.equal(asked.length, i + 1, `${delayMs} ms are not over`)
    await elapse(1)
    t.equal(asked.length, i + 2, `${delayMs} ms are over`)
  }
  await elapse(24 * hour)
  t.equal(asked.length, 5)
  t.strictSame(givenUp, [])
})

t.test('SEC-15: a provider that always fails is given up, and that is said once', async t => {
  const { revoke, asked, givenUp, elapse } = begin(t, { failures: Number.POSITIVE_INFINITY })
  await revoke(connectionWith())
  for (const delayMs of [5 * second, minute, 10 * minute]) await elapse(delayMs)
  t.strictSame(givenUp, [])
  await elapse(hour)
  t.strictSame(givenUp, ['acme'])
  await elapse(24 * hour)
  t.equal(asked.length, 5)
  t.strictSame(givenUp, ['acme'])
})

t.test('who disconnects waits two seconds for the provider at most', async t => {
  const { revoke, elapse } = begin(t, { answer: () => new Promise(() => {}) })
  let done = false
  const waiting = revoke(connectionWith()).then(() => {
    done = true
  })
  await elapse(1999)
  t.notOk(done)
  await elapse(1)
  t.ok(done)
  await waiting
})

t.test('what still waits when the process ends is let go', async t => {
  const { revoke, asked, elapse, close } = begin(t, { failures: 1 })
  await revoke(connectionWith())
  close()
  await elapse(24 * hour)
  t.equal(asked.length, 1)
})
