import { constants } from 'node:os'
import type { Owner } from '../test/support/node-process.ts'

const openScopes = new Set<() => Promise<void>>()
let interrupted = false

/** Runs `work`, then its teardowns in reverse order, also on failure. */
export async function inScope<T>(work: (owner: Owner) => Promise<T>): Promise<T> {
  const ends: Array<() => unknown> = []
  const end = async () => {
    for (let next = ends.pop(); next; next = ends.pop()) await next()
  }
  openScopes.add(end)
  try {
    return await work({ teardown: next => void ends.push(next) })
  } finally {
    await end()
    openScopes.delete(end)
    // After a signal, errors of `work` only mean that its processes were stopped: never settle.
    if (interrupted) await new Promise(() => {})
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, async () => {
    interrupted = true
    await Promise.all([...openScopes].map(end => end()))
    process.exit(128 + constants.signals[signal])
  })
}
