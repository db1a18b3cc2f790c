import { validateHeaderName, validateHeaderValue } from 'node:http'
import { codeOf } from '../../core/support.ts'

/** What a guard lets pass; `undefined` when it says no with `code`. Anything else that it throws is a fault. */
export function passed<T>(code: string, guard: () => T): { value: T } | undefined {
  const outcome = codeOf(guard)
  if (outcome === code) return undefined
  if (outcome instanceof Error) throw outcome
  if (typeof outcome === 'string') throw new Error(`refused with ${outcome}`)
  return { value: (outcome as { returned: T }).returned }
}

/** True when node:http would send it: what it refuses at that point has cost a connection or an answer already. */
export function isSendable(name: string, value: string): boolean {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return true
  } catch {
    return false
  }
}
