import type { ChangeFeed } from '../core/ports.ts'

type Listener = (owner?: string, unreportedMs?: number) => void

/** The subscribers of a change feed and the callers of `waitForChange`. */
export type ChangeListeners = Pick<ChangeFeed, 'subscribe' | 'waitForChange'> & {
  /** The owner's records have changed. Without an owner any may have, up to `unreportedMs` ago. */
  publish: Listener
  /** Only a lease, claim or value has changed: wakes the waiters, and cached records stay valid. */
  wakeWaiters: Listener
}

export function createChangeListeners(): ChangeListeners {
  const subscribers = new Set<Listener>()
  const waiters = new Set<Listener>()
  const wakeWaiters: Listener = owner => {
    for (const waiter of [...waiters]) waiter(owner)
  }
  return {
    wakeWaiters,
    publish: (owner, unreportedMs) => {
      for (const subscriber of subscribers) subscriber(owner, unreportedMs)
      wakeWaiters(owner)
    },

    subscribe: onChange => void subscribers.add(onChange),

    waitForChange: (owner, timeoutMs) =>
      new Promise(resolve => {
        const finish = () => {
          clearTimeout(timer)
          waiters.delete(waiter)
          resolve()
        }
        const waiter: Listener = changed => {
          if (changed === undefined || changed === owner) finish()
        }
        const timer = setTimeout(finish, timeoutMs)
        waiters.add(waiter)
      })
  }
}
