import { createHmac, randomBytes } from 'node:crypto'
import { GatewayError } from '../errors.ts'
import type { Clock, Store } from '../ports.ts'
import { userOwner } from '../users/owner.ts'
import type { User } from '../users/user.ts'
import type { Cipher } from './cipher.ts'
import { createRecords, expectVersion, versionOf } from './records.ts'

/** Names the owner of a user's connections. */
export type OwnerNames = {
  /**
   * Stable for as long as the store lives, whatever keys are rotated, and the same on every instance. Synchronous once the secret is known.
   * @throws {GatewayError} `store_unavailable`
   */
  nameOf(user: User): string | Promise<string>
}

/** Holds the secret. No user has this name. */
export const ownerNamesOwner = 'owner-names'
const secretField = 'secret'
const secretBytes = 32
/** Each start renews it. */
const secretTtlMs = 10 * 365 * 24 * 60 * 60_000
/** After this time the secret is compared with the stored one: somebody may have emptied the store. */
const maxAgeMs = 60_000

/**
 * Derives owner names with HMAC-SHA-256 and a random secret, which is in the store, sealed: without a key of `TOKEN_KEYS` a dump of the
 * store tells nobody's name, not even to who tries all e-mail addresses. A rotation of the keys seals the secret anew and changes no name.
 */
export function createOwnerNames({ store, cipher, clock }: { store: Store; cipher: Cipher; clock: Clock }): OwnerNames {
  const records = createRecords(cipher)
  let known: { readonly secret: Buffer; readonly readAtMs: number } | undefined
  let reading: Promise<Buffer> | undefined

  async function read(): Promise<Buffer> {
    for (;;) {
      const [record] = await store.read(ownerNamesOwner, [secretField])
      const stored = records.open(ownerNamesOwner, secretField, record, plain => Buffer.from(plain))
      if (record && !stored) throw unreadable()
      // An emptied store gets back what this process knows: its users keep their names.
      const secret = stored?.value ?? known?.secret ?? randomBytes(secretBytes)
      const put = [records.seal(ownerNamesOwner, secretField, secret)]
      const expect = record ? { expect: [expectVersion(secretField, versionOf(record))] } : { expectNone: true as const }
      const isCurrent = record && cipher.isNewest(record) && known !== undefined
      if (isCurrent || (await store.commit(ownerNamesOwner, { ...expect, put, ttlMs: secretTtlMs }))) {
        known = { secret, readAtMs: clock.now() }
        return secret
      }
    }
  }

  function readOnce(): Promise<Buffer> {
    reading ??= read().finally(() => {
      reading = undefined
    })
    return reading
  }

  return {
    nameOf(user) {
      if (!known) return readOnce().then(secret => derive(secret, user))
      // In the background: nobody waits for it, and the next look repeats what fails.
      if (clock.now() - known.readAtMs > maxAgeMs && !reading) readOnce().catch(() => {})
      return derive(known.secret, user)
    }
  }
}

/** JSON frames the parts: no two users have the same text. */
const derive = (secret: Buffer, { issuer, claim, id }: User): string =>
  userOwner(
    createHmac('sha256', secret)
      .update('grantkeeper owner\0')
      .update(JSON.stringify([issuer, claim, id]))
      .digest('base64url')
  )

const unreadable = () =>
  new GatewayError('store_unavailable', 'The record that names users cannot be opened here. Nothing was changed.', {
    cause: new Error('the secret of owner names does not open: TOKEN_KEYS lacks the key that it was sealed with')
  })
