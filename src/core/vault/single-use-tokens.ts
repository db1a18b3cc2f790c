import { createHash } from 'node:crypto'
import type { Clock, Store } from '../ports.ts'
import { newId } from '../session.ts'
import type { Cipher } from './cipher.ts'

/** Tokens that each stand for one sealed value, for one purpose, once. */
export type SingleUseTokens<T> = {
  /** @returns 192 random bits, base64url; the store knows only their hash */
  issue(value: T): Promise<{ readonly token: string; readonly expiresAtMs: number }>
  /** Reads the value and leaves the token as it is. @returns `undefined` for a token that is unknown, used or late */
  find(token: string): Promise<T | undefined>
  /** The value, for the first caller only. */
  redeem(token: string): Promise<T | undefined>
}

type Options<T> = {
  readonly store: Pick<Store, 'claim' | 'getValue' | 'setValue'>
  readonly cipher: Cipher
  readonly clock: Clock
  /** Binds tokens to what they are for: a token of one purpose is unknown for every other. */
  readonly purpose: string
  readonly ttlMs: number
  readonly encode: (value: T) => string
  readonly decode: (text: string) => T
}

export function createSingleUseTokens<T>({ store, cipher, clock, purpose, ttlMs, encode, decode }: Options<T>): SingleUseTokens<T> {
  const keyOf = (token: string) => `${purpose}:${createHash('sha256').update(token).digest('base64url')}`
  const contextOf = (key: string) => `v1\0single-use\0${key}`

  type Stored = { readonly expiresAtMs: number; readonly value: string }

  async function read(key: string): Promise<T | undefined> {
    const sealed = await store.getValue(key)
    const plain = sealed && cipher.open(sealed, contextOf(key))
    if (!plain) return undefined
    const { expiresAtMs, value } = JSON.parse(plain.toString()) as Stored
    return expiresAtMs > clock.now() ? decode(value) : undefined
  }

  return {
    async issue(value) {
      const token = newId()
      const key = keyOf(token)
      const expiresAtMs = clock.now() + ttlMs
      const stored: Stored = { expiresAtMs, value: encode(value) }
      await store.setValue(key, cipher.seal(Buffer.from(JSON.stringify(stored)), contextOf(key)), ttlMs)
      return { token, expiresAtMs }
    },

    find: token => read(keyOf(token)),

    async redeem(token) {
      const key = keyOf(token)
      const value = await read(key)
      if (value === undefined || !(await store.claim(key, ttlMs))) return undefined
      // Nothing is left of the value; the claim outlasts it.
      await store.setValue(key, Buffer.alloc(0), 1).catch(() => {})
      return value
    }
  }
}
