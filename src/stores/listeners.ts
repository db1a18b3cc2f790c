import type { Watch } from '../core/ports.ts'

type Listener = (owner?: string, untoldMs?: number) => void

/** Those who want to know of changes, and what tells them. */
export type Watchers = Pick<Watch, 'subscribe' | 'nextChange'> & {
  /** The owner's records have changed; without an owner, anybody's may have, up to so many milliseconds ago. */
  tell: Listener
  /** Only a lease has: who waits looks again, and what is held in memory is as true as before. */
  wake: Listener
}

export function createWatchers(): Watchers {
  const listeners = new Set<Listener>()
  const waiters = new Set<Listener>()
  const wake: Listener = owner => {
    for (const waiter of [...waiters]) waiter(owner)
  }
  return {
    wake,
    tell: (owner, untoldMs) => {
      for (const listener of listeners) listener(owner, untoldMs)
      wake(owner)
    },

    subscribe: onChange => void listeners.add(onChange),

    nextChange: (owner, withinMs) =>
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
