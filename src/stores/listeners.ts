import type { ChangeFeed } from '../core/ports.ts'

type Listener = (owner?: string, untoldMs?: number) => void

/** Those who want to know of changes, and what tells them. */
export type ChangeListeners = Pick<ChangeFeed, 'subscribe' | 'waitForChange'> & {
  /** The owner's records have changed; without an owner, anybody's may have, up to so many milliseconds ago. */
  publish: Listener
  /** Only a lease has: who waits looks again, and what is held in memory is as true as before. */
  wakeWaiters: Listener
}

export function createChangeListeners(): ChangeListeners {
  const listeners = new Set<Listener>()
  const waiters = new Set<Listener>()
  const wakeWaiters: Listener = owner => {
    for (const waiter of [...waiters]) waiter(owner)
  }
  return {
    wakeWaiters,
    publish: (owner, untoldMs) => {
      for (const listener of listeners) listener(owner, untoldMs)
      wakeWaiters(owner)
    },

    subscribe: onChange => void listeners.add(onChange),

    waitForChange: (owner, withinMs) =>
      new Promise(resolve => {
        const done = () => {
          clearTimeout(timer)
          waiters.delete(waiter)
          resolve()
        }
        const waiter: Listener = changed => {
          if (changed === undefined || changed === owner) done()
        }
        const timer = setTimeout(done, withinMs)
        waiters.add(waiter)
      })
  }
}
