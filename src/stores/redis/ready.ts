import type { Cluster, Redis } from 'ioredis'
import { Timeout } from '../../core/util/timeout.ts'

/**
 * A call made right after opening, or in the moment of a reconnect, waits for that one attempt and for `patienceMs` at most. Once an
 * attempt has failed, Redis is known to be down and calls are rejected at once, until a later attempt succeeds in the background.
 *
 * @returns what a call awaits before it is sent; it rejects with what the last attempt said.
 */
export function redisReady(client: Redis | Cluster, patienceMs: number): () => Promise<void> {
  let ready = false
  let reason: unknown
  let attempt = begin()

  function begin() {
    const outcome = Promise.withResolvers<void>()
    const limit = new Timeout(patienceMs, outcome.resolve)
    void outcome.promise.then(() => limit.clear())
    return outcome
  }

  client.on('ready', () => {
    ready = true
    reason = undefined
    attempt.resolve()
  })
  // Without a listener ioredis prints each error to the console. An error is not yet the end of an attempt: with Sentinel, ioredis
  // says "All sentinels are unreachable" whenever it has come to the end of their list, and begins the list again.
  client.on('error', error => {
    reason = error
  })
  client.on('close', () => {
    if (ready) attempt = begin()
    else attempt.resolve()
    ready = false
  })
  client.on('end', () => {
    reason = new Error('the connection is closed for good')
    attempt.resolve()
  })

  return async () => {
    if (!ready) await attempt.promise
    if (!ready) throw reason ?? new Error('no connection yet')
  }
}
