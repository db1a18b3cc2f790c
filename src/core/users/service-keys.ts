import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { Secret } from '../secret.ts'

/** A backend that may act for any user. */
export type ServiceKey = {
  /** For logs. */
  readonly name: string
  /** Whether it may also be handed access tokens. */
  readonly mayReadTokens: boolean
}

/** An entry of `SERVICE_KEYS`. Entries of the same name are one backend while its key is replaced. */
export type ServiceKeyEntry = ServiceKey & {
  /** SHA-256 of the key's characters, 32 bytes. */
  readonly hash: Buffer
}

export type ServiceKeys = {
  /** The service key of these characters; `undefined` if there is none. */
  find(key: string): ServiceKey | undefined
}

/** Bytes of randomness, which is why a fast hash is enough: there is nothing to guess. */
const keyBytes = 32

/** Has no dot: a service key is never taken for a JWT, which has two. */
const keyPrefix = 'gk_'

export const isServiceKeyName = (name: string): boolean => /^[A-Za-z0-9][\w.-]{0,63}$/.test(name)

/** The keys that are configured. Only their hashes are known here. */
export function createServiceKeys(entries: readonly ServiceKeyEntry[]): ServiceKeys {
  return {
    find(key) {
      const hash = sha256(key)
      let found: ServiceKey | undefined
      // Every entry is compared, in constant time: how long it takes says nothing about where, or how closely, a key matches.
      for (const entry of entries) if (timingSafeEqual(entry.hash, hash)) found = entry
      return found && { name: found.name, mayReadTokens: found.mayReadTokens }
    }
  }
}

/**
 * Generates a service key.
 * @param name one for which `isServiceKeyName` holds
 * @returns the key, to be shown once, and its entry for `SERVICE_KEYS`
 */
export function newServiceKey(name: string, { mayReadTokens = false } = {}): { readonly key: Secret; readonly entry: string } {
  const key = keyPrefix + randomBytes(keyBytes).toString('base64url')
  return { key: new Secret(key), entry: `${name}:${sha256(key).toString('hex')}${mayReadTokens ? ':token' : ''}` }
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()
