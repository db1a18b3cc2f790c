import type { Watch } from '../core/ports.ts'

type Listener = (owner?: string) => void

/** Those who want to know of changes, and what tells them. */
export function createWatchers(): Pick<Watch, 'subscribe' | 'nextChange'> & { tell: Listener } {
  const listeners = new Set<Listener>()
  return {
    tell: owner => {
      for (const listener of [...listeners]) listener(owner)
    },

    subscribe: onChange => void listeners.add(onChange),

    nextChange: (owner, withinMs) =>
      new Promise(resolve => {
        const done = () => {
          clearTimeout(timer)
          listeners.delete(listener)
          resolve()
        }
        const listener: Listener = changed => {
          if (changed === undefined || changed === owner) done()
        }
        const timer = setTimeout(done, withinMs)
        listeners.add(listener)
      })
  }
}
