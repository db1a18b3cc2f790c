import { validateHeaderName, validateHeaderValue } from 'node:http'
import { codeOf } from '../../core/support.ts'

/** @returns the guard's result; `undefined` if it rejects with `code`. Throws whatever else the guard throws. */
export function passThrough<T>(code: string, guard: () => T): { value: T } | undefined {
  const result = codeOf(guard)
  if (result === code) return undefined
  if (result instanceof Error) throw result
  if (typeof result === 'string') throw new Error(`rejected with ${result}`)
  return { value: (result as { returned: T }).returned }
}

/** True if node:http would send it: an error at that point costs the connection or the response. */
export function isSendable(name: string, value: string): boolean {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return true
  } catch {
    return false
  }
}
