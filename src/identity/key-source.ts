import type { KeyObject } from 'node:crypto'
import type { CachedDocument } from './cached-document.ts'
import type { VerificationKey } from './verification-keys.ts'

/** Where the keys that verify tokens come from. */
export type KeySource = Omit<CachedDocument<readonly VerificationKey[]>, 'isKnown'> & {
  /** How often a key that was known has been withdrawn. */
  withdrawals(): number
}

export const secretAlgorithms: readonly string[] = ['HS256']

/** Secrets do not change while the gateway runs. A token's `kid` says nothing about them. */
export function createSecretKeys(secrets: readonly KeyObject[]): KeySource {
  const keys = secrets.map((key, i) => ({ id: String(i), kid: undefined, algorithms: secretAlgorithms, key }))
  return {
    current: async () => keys,
    newerThan: async () => undefined,
    refreshIfOld: () => undefined,
    withdrawals: () => 0
  }
}

/** Whether a key of the earlier set is missing from the later one. */
export function isAnyWithdrawn(earlier: readonly VerificationKey[], later: readonly VerificationKey[]): boolean {
  const ids = new Set(later.map(({ id }) => id))
  return earlier.some(({ id }) => !ids.has(id))
}
