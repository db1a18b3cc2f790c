import type { Cluster, Redis } from 'ioredis'
import { Timeout } from '../../core/util/timeout.ts'

/**
 * A command sent right after opening, or during a reconnect, waits for that one connection attempt and for `timeoutMs` at most. Once an
 * attempt has failed, Redis is known to be down: commands are rejected at once, until a later attempt succeeds in the background.
 *
 * @returns a function that resolves when commands can be sent, and rejects with the error of the last attempt
 */
export function createReadyWait(client: Redis | Cluster, timeoutMs: number): () => Promise<void> {
  let isReady = false
  let lastError: unknown
  let attempt = startAttempt()

  function startAttempt() {
    const outcome = Promise.withResolvers<void>()
    const timeout = new Timeout(timeoutMs, outcome.resolve)
    void outcome.promise.then(() => timeout.clear())
    return outcome
  }

  client.on('ready', () => {
    isReady = true
    lastError = undefined
    attempt.resolve()
  })
  // Without a listener ioredis prints each error to the console. An error does not end the attempt: with Sentinel, ioredis emits
  // "All sentinels are unreachable" at the end of their list, and starts over with the list.
  client.on('error', error => {
    lastError = error
  })
  client.on('close', () => {
    if (isReady) attempt = startAttempt()
    else attempt.resolve()
    isReady = false
  })
  client.on('end', () => {
    lastError = new Error('the connection is closed for good')
    attempt.resolve()
  })

  return async () => {
    if (!isReady) await attempt.promise
    if (!isReady) throw lastError ?? new Error('no connection yet')
  }
}
