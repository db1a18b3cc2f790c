import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from '../connections/connection.ts'
import type { HeldLease } from '../ports.ts'
import { recordRetentionMs } from '../session.ts'
import type { StoredConnection } from './owned-connections.ts'
import { createOwnerSessions, tooManyConflicts, type VaultDependencies } from './owner-sessions.ts'
import { placeConnection } from './placement.ts'
import { connectionField, connectionPrefix, expectRecord, expectVersion, loginPrefix, movedField, sessionPrefix } from './records.ts'

/** What is to be revoked after a move. */
type TakenOver = {
  /** Connections that have no place, since the user has too many accounts. */
  readonly left: readonly Connection[]
  /** Connections of the user to the same accounts. */
  readonly replaced: ReadonlyArray<{ readonly before: Connection; readonly after: Connection }>
}

export type Takeover = {
  /** Names of the providers that an owner has connections to, whether or not a session of theirs is live. */
  connectedProviders(owner: string): Promise<string[]>
  /**
   * Moves all connections of a browser that nobody was signed in to, to a user. Nothing is left of that owner.
   * @returns `undefined` when there is nothing to move
   */
  takeOver(from: string, to: string): Promise<TakenOver | undefined>
  /** Whether the owner's connections are being moved to a user. */
  isMoving(from: string): Promise<boolean>
  /** Goes on with a move that was interrupted. @returns `undefined` when there is none, or when its record does not open here */
  resumeTakeover(from: string): Promise<TakenOver | undefined>
}

/** For a token request in flight, whose result must not be lost. */
const maxLeaseWaitMs = 15_000
const leaseMs = 60_000
const pollMs = 100

/**
 * A move has three steps, each of which can be repeated: the browser's sessions end and a record says where its connections go; they are
 * stored for the user; the old ones are deleted. Renewals are kept out meanwhile, since a refresh token works in one place only.
 */
export function createTakeover(dependencies: VaultDependencies): Takeover {
  const { store, records, commit } = dependencies
  const { ttlOf, transact } = createOwnerSessions(dependencies)

  /**
   * Ends the sessions, so that nothing is served from here any more. Of several users to whom a copied cookie has brought the offer, the
   * first one decides.
   */
  const announce = (from: string, to: string) =>
    transact<boolean>(from, fields => {
      if (records.connectionsIn(from, fields).size === 0) return { outcome: false }
      const goesTo = records.open(from, movedField, fields.get(movedField), plain => plain.toString())?.value
      if (fields.has(movedField)) return { outcome: goesTo === to }
      const remove = [...fields.keys()].filter(field => field.startsWith(sessionPrefix) || field.startsWith(loginPrefix))
      const put = [records.seal(from, movedField, Buffer.from(to))]
      return { change: { put, remove, ttlMs: recordRetentionMs }, outcome: true }
    })

  async function move(from: string, to: string): Promise<TakenOver> {
    const left: Connection[] = []
    const replaced: Array<{ before: Connection; after: Connection }> = []
    for (const { key } of records.connectionsIn(from, await store.readAll(from))) {
      const lease = await acquireLease(from, `renewal:${key.name}`)
      try {
        const field = connectionField(key)
        const [record] = await store.read(from, [field])
        const stored = records.openConnection(key, record)
        if (!stored) continue
        const placed = await placeOnce(to, stored)
        if (placed === undefined) left.push(stored.value)
        else if (placed.before) replaced.push({ before: placed.before, after: stored.value })
        await commit(from, { expect: [expectVersion(field, stored.version)], remove: [field] })
      } finally {
        await lease.release().catch(() => {})
      }
    }
    return { left, replaced }
  }

  /**
   * @returns what it has replaced; `undefined` when there is no place for it. A credential that is there already was placed by an
   * interrupted move.
   */
  const placeOnce = (to: string, { key, value }: StoredConnection) =>
    transact<{ readonly before?: Connection | undefined } | undefined>(to, fields => {
      const ofProvider = records.connectionsIn(to, fields).of(key.provider)
      if (ofProvider.some(other => other.value.credential.equals(value.credential))) return { outcome: {} }
      const placement = placeConnection(records, to, fields, value, ofProvider.length > 0 ? 'add' : undefined)
      if (!placement) return { outcome: undefined }
      return { change: { ...placement.change, ttlMs: ttlOf(to) }, outcome: { before: placement.replaced } }
    })

  async function acquireLease(owner: string, name: string): Promise<HeldLease> {
    for (let waitedMs = 0; waitedMs < maxLeaseWaitMs; waitedMs += pollMs) {
      const lease = await store.acquire(owner, name, leaseMs, waitedMs)
      if (lease) return lease
      await sleep(pollMs)
    }
    throw tooManyConflicts()
  }

  /** What is left when everything was moved: the record that says so. A connection that does not open here waits for an instance with its key. */
  async function finish(from: string): Promise<void> {
    const fields = await store.readAll(from)
    if ([...fields.keys()].some(field => field.startsWith(connectionPrefix))) return
    const expect = [...fields].map(([field, record]) => expectRecord(field, record))
    await commit(from, { expect, remove: [...fields.keys()] })
  }

  return {
    connectedProviders: async owner => records.connectionsIn(owner, await store.readAll(owner)).providers(),

    async takeOver(from, to) {
      if (!(await announce(from, to))) return undefined
      const taken = await move(from, to)
      await finish(from)
      return taken
    },

    isMoving: async from => (await store.read(from, [movedField]))[0] !== undefined,

    async resumeTakeover(from) {
      const [record] = await store.read(from, [movedField])
      const to = records.open(from, movedField, record, plain => plain.toString())?.value
      if (to === undefined) return undefined
      const taken = await move(from, to)
      await finish(from)
      return taken
    }
  }
}
