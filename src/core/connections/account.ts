import type { AccountPointers } from '../provider/definition.ts'
import { toAccountName } from '../util/display-text.ts'
import { resolvePointer } from '../util/json-pointer.ts'
import type { Connection } from './connection.ts'

/** Which account a connection is: its id, if that is known, and its name for people. */
export type AccountIdentity = Pick<Connection, 'account' | 'accountId'>

/** As long as an OpenID Connect subject may be (OpenID Connect Core 1.0 §2). */
const maxIdLength = 255

/** Reads what the document has. What it lacks, or has in another form, is left out: a connection is good without it. */
export function readAccount(document: unknown, { id, name }: AccountPointers): AccountIdentity {
  const accountId = id === undefined ? undefined : toAccountId(resolvePointer(document, id))
  const account = (name === undefined ? [] : [name].flat())
    .map(pointer => toAccountName(resolvePointer(document, pointer)))
    .find(text => text !== undefined)
  return { ...(account !== undefined && { account }), ...(accountId !== undefined && { accountId }) }
}

/**
 * Nothing is cut off or rounded: two accounts could get the same id, and one would replace the other. Lone surrogates are refused because they
 * all have the same UTF-8 encoding.
 */
export function toAccountId(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined
  if (typeof value !== 'string' || value.trim() === '' || value.length > maxIdLength) return undefined
  return value.isWellFormed() ? value : undefined
}
