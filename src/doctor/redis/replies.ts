import { toSingleLine } from '../../core/util/display-text.ts'
import { reasonOf } from '../../stores/redis/command-runner.ts'

/** A reply of names and values: a list in RESP2, a map in RESP3. */
export function fieldsOf(reply: unknown): Map<string, string> {
  if (reply instanceof Map) return new Map([...reply].map(([name, value]) => [String(name), String(value)]))
  if (!Array.isArray(reply)) return new Map(Object.entries((reply ?? {}) as object).map(([name, value]) => [name, String(value)]))
  return new Map(reply.flatMap((name, i) => (i % 2 === 0 ? [[String(name), String(reply[i + 1])] as const] : [])))
}

/** The reply to INFO: lines of `name:value`, in sections. */
export const infoOf = (reply: string): Map<string, string> =>
  new Map([...reply.matchAll(/^([^#\r\n:]+):([^\r\n]*)/gm)].map(([, name = '', value = '']) => [name, value]))

/** An error as text that may be printed, with the code of a system error, which its message may lack. */
export function describeError(error: unknown): string {
  const reason = toSingleLine(reasonOf(error))
  const { code } = error as NodeJS.ErrnoException
  return code === undefined || reason.includes(code) ? reason : `${reason} (${code})`
}

/** The user lacks the right to a command, key or channel. */
export const isRefused = (error: unknown): boolean => /^NOPERM\b/.test((error as Error).message)
