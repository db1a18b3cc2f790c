import { type Connection, isExpired } from '../connections/connection.ts'
import type { Store } from '../ports.ts'
import type { Variables } from '../provider/template.ts'
import { Secret } from '../secret.ts'
import type { Cipher } from '../vault/cipher.ts'
import { createRecords, expectRecord, pendingOwner, type Version, type Versioned, versionOf } from '../vault/records.ts'
import type { RevocableGrant } from './token-endpoint.ts'

/** A token to revoke, stored until that is done. */
export type PendingRevocation = RevocableGrant & {
  readonly id: string
  readonly provider: string
  readonly createdAtMs: number
  /** Failed attempts. */
  readonly failures: number
  /** No attempt before. */
  readonly dueAtMs: number
}

/** A revocation is given up after so long. */
export const maxPendingMs = 7 * 24 * 60 * 60_000

const prefix = 'revocation:'

/** Revocations that wait for their provider, sealed in the store, so that they survive a restart. */
export function createRevocationQueue(store: Store, cipher: Cipher) {
  const { seal, open } = createRecords(cipher)

  return {
    /**
     * @param version the version to write over; `undefined` for a new revocation
     * @returns the new version; `undefined`, with nothing written, when the stored one has changed or is gone
     */
    async put({ id, token, accessToken, key, ...rest }: PendingRevocation, version?: Version): Promise<Version | undefined> {
      const plain = { ...rest, token: token.reveal(), accessToken: accessToken?.reveal(), key: key?.reveal() }
      const put = seal(pendingOwner, prefix + id, Buffer.from(JSON.stringify(plain)))
      const [field, record] = put
      const expect = expectRecord(field, version === undefined ? undefined : Buffer.from(version, 'latin1'))
      const written = await store.commit(pendingOwner, { expect: [expect], put: [put], ttlMs: 2 * maxPendingMs })
      return written ? versionOf(record) : undefined
    },

    async remove(id: string): Promise<void> {
      await store.commit(pendingOwner, { remove: [prefix + id] })
    },

    /** Those that can be opened. */
    async list(): Promise<Array<Versioned<PendingRevocation>>> {
      return [...(await store.readAll(pendingOwner))]
        .map(([field, record]) =>
          open(pendingOwner, field, record, (plain): PendingRevocation => {
            const { token, accessToken, key, ...rest } = JSON.parse(plain.toString())
            return {
              ...rest,
              id: field.slice(prefix.length),
              token: new Secret(token),
              ...(accessToken !== undefined && { accessToken: new Secret(accessToken) }),
              ...(key !== undefined && { key: new Secret(key) })
            }
          })
        )
        .filter(pending => pending !== undefined)
    }
  }
}

/**
 * RFC 7009 §2.1: revoking the refresh token ends the access tokens of the same grant.
 * @param needs the names of what the request needs beside the token; by default all that there is
 * @returns `undefined` for an API key that is sent itself, and for a grant or token that has expired
 */
export function grantToRevoke(connection: Connection, nowMs: number, needs?: ReadonlySet<string>): RevocableGrant | undefined {
  const { method, refreshToken, credential, parameters, values } = connection
  const isNeeded = (name: string) => needs?.has(name) ?? true
  const needed = (variables: Variables | undefined) => {
    const entries = Object.entries(variables ?? {}).filter(([name]) => isNeeded(name))
    return entries.length > 0 ? Object.fromEntries(entries) : undefined
  }
  const known = {
    method,
    ...(needed(parameters) && { parameters: needed(parameters) as Variables }),
    ...(needed(values) && { values: needed(values) as Variables })
  }
  if (method === 'api_key') {
    if (!refreshToken || isExpired(connection, nowMs)) return undefined
    return { ...known, token: credential, type: 'access_token', ...(isNeeded('key') && { key: refreshToken }) }
  }
  if (refreshToken && !refreshToken.equals(credential))
    return { ...known, token: refreshToken, type: 'refresh_token', ...(isNeeded('access_token') && { accessToken: credential }) }
  return isExpired(connection, nowMs) ? undefined : { ...known, token: credential, type: 'access_token' }
}

/** Some vendors issue the same token at each sign-in. */
export const isSameGrant = (before: Connection, after: Connection): boolean =>
  before.credential.equals(after.credential) || before.refreshToken?.equals(after.refreshToken) === true
