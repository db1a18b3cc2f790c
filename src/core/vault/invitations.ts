import type { Connection } from '../connections/connection.ts'
import { ConnectionKey } from '../connections/connection-key.ts'
import { connectionRequired } from '../connections/errors.ts'
import { GatewayError } from '../errors.ts'
import type { Clock, Store } from '../ports.ts'
import { isLive, newId, type Session, type SessionLimits } from '../session.ts'
import { toSingleLine } from '../util/display-text.ts'
import type { Cipher } from './cipher.ts'
import { extendSessions, type VaultDependencies } from './owner-sessions.ts'
import {
  createRecords,
  expectRecord,
  expectVersion,
  type Fields,
  invitationPrefix,
  type Version,
  type Versioned,
  versionOf
} from './records.ts'

/** What somebody else may do once: connect one provider for a session that stays closed to them. */
export type Invitation = {
  readonly id: string
  readonly provider: string
  /** Who asks, in the inviter's own words. */
  readonly name: string
  readonly createdAtMs: number
  readonly expiresAtMs: number
}

/** An invitation whose link was shown: whose it is, and how it is used up. */
export type RedeemableInvitation = {
  readonly owner: string
  readonly invitation: Invitation
  readonly redeem: { field: string; version: Version }
}

export type Invitations = {
  /**
   * The session lives for as long as the invitation is open.
   * @returns the invitation and the secret part of its link, which is not kept
   * @throws {GatewayError} `connection_required` when the session has ended in the meantime
   */
  create(session: Session, provider: string, name: string): Promise<{ invitation: Invitation; token: string }>
  /** Oldest first. */
  list(owner: string): Promise<Invitation[]>
  /** @returns whether there was one. */
  withdraw(owner: string, id: string): Promise<boolean>
  /** @throws {GatewayError} `invitation_invalid` when the link was tampered with, or its invitation was used, withdrawn, or has ended */
  find(token: string): Promise<RedeemableInvitation>
  /** The same by what the sealed flow of a sign-in remembers. */
  findById(owner: string, id: string): Promise<RedeemableInvitation>
}

export type InvitationAcceptance = {
  /**
   * Keeps a connection that somebody else made, uses up what allowed it, and keeps the session for as long as an invitation is open, so
   * that whoever it is for finds it. @returns what it took the place of; `undefined`, with nothing kept, when the invitation has changed
   * or is gone, or when the session has ended
   */
  connectInvited(
    owner: string,
    connection: Connection,
    invitation: { field: string; version: Version }
  ): Promise<{ replaced: Connection | undefined } | undefined>
}

/** How long an invitation is open, and how long what it brought waits for whoever asked. */
const invitationLifetimeMs = 7 * 24 * 60 * 60_000
/** A session that changes meanwhile is read again, but not for ever. */
const inviteTrials = 10
const maxAcceptTrials = 10
/** Open ones of one owner; the oldest goes. */
const maxOpen = 20
/** A link is sealed for this and opens as nothing else. */
const linkContext = 'v1\0invitation link'

type Parts = { store: Store; cipher: Cipher; limits: SessionLimits; clock: Clock }

/** Invitations lie with the records of the owner who made them, whose session does not end by idleness while one is open. */
export function createInvitations({ store, cipher, limits, clock }: Parts): Invitations {
  const records = createRecords(cipher)
  const { seal, open } = records
  const fieldOf = (id: string) => invitationPrefix + id

  function opened(owner: string, id: string, record: Buffer | undefined): Versioned<Invitation> | undefined {
    const found = open(owner, fieldOf(id), record, plain => ({ ...JSON.parse(plain.toString()), id }) as Invitation)
    return found && found.value.expiresAtMs > clock.now() ? found : undefined
  }

  const listIn = (owner: string, fields: Fields): Invitation[] =>
    [...fields]
      .filter(([field]) => field.startsWith(invitationPrefix))
      .map(([field, record]) => opened(owner, field.slice(invitationPrefix.length), record)?.value)
      .filter(invitation => invitation !== undefined)
      .sort((a, b) => a.createdAtMs - b.createdAtMs)

  async function findById(owner: string, id: string): Promise<RedeemableInvitation> {
    const fields = await store.readAll(owner)
    const found = opened(owner, id, fields.get(fieldOf(id)))
    // Limits that were lowered may have ended the session: nobody is there to use what it would bring.
    const isHeld = records.sessionsIn(owner, fields).sessions.some(({ value }) => isLive(value, limits, clock.now()))
    if (!found || !isHeld) throw invalid()
    return { owner, invitation: found.value, redeem: { field: fieldOf(id), version: found.version } }
  }

  return {
    list: async owner => listIn(owner, await store.readAll(owner)),
    findById,

    async create({ owner }, provider, name) {
      for (let trial = 0; trial < inviteTrials; trial++) {
        const createdAtMs = clock.now()
        const fields = await store.readAll(owner)
        const session = extendSessions({ records, limits, clock }, owner, fields, createdAtMs + invitationLifetimeMs, true)
        if (!session) throw connectionRequired(provider)
        const expiresAtMs = session.untilMs
        const { id, ...invitation } = { id: newId(), provider, name, createdAtMs, expiresAtMs }
        const pushedOut = listIn(owner, fields).slice(0, 1 - maxOpen)
        const written = await store.commit(owner, {
          expect: session.expect,
          put: [...session.put, seal(owner, fieldOf(id), Buffer.from(JSON.stringify(invitation)))],
          remove: [...session.remove, ...pushedOut.map(invitation => fieldOf(invitation.id))],
          ttlMs: session.ttlMs
        })
        const token = cipher.seal(Buffer.from(`${owner} ${id}`), linkContext).toString('base64url')
        if (written) return { invitation: { id, ...invitation }, token }
      }
      throw new GatewayError('store_unavailable', 'Too much changed in this session just now. Try again.', { retryAfter: 1 })
    },

    async withdraw(owner, id) {
      const [record] = await store.read(owner, [fieldOf(id)])
      if (!opened(owner, id, record)) return false
      await store.commit(owner, { remove: [fieldOf(id)] })
      return true
    },

    async find(token) {
      const [owner, id] = cipher.open(Buffer.from(token, 'base64url'), linkContext)?.toString().split(' ') ?? []
      if (owner === undefined || id === undefined) throw invalid()
      return findById(owner, id)
    }
  }
}

/** What becomes of an invitation that somebody has accepted. */
export function createInvitationAcceptance({ store, records, limits, clock, commit }: VaultDependencies): InvitationAcceptance {
  return {
    async connectInvited(owner, connection, { field, version }) {
      const put = records.sealConnection(new ConnectionKey(owner, connection.provider), connection)
      const [place] = put
      for (let trial = 0; trial < maxAcceptTrials; trial++) {
        const fields = await store.readAll(owner)
        const kept = extendSessions({ records, limits, clock }, owner, fields, clock.now() + invitationLifetimeMs, false)
        if (!kept) return undefined
        const before = fields.get(place)
        const written = await commit(owner, {
          expect: [...kept.expect, expectVersion(field, version), expectRecord(place, before)],
          put: [...kept.put, put],
          remove: [...kept.remove, field],
          ttlMs: kept.ttlMs
        })
        if (written) return { replaced: records.openConnection(new ConnectionKey(owner, connection.provider), before)?.value }
        const invitation = fields.get(field)
        if (!invitation || versionOf(invitation) !== version) return undefined
      }
      return undefined
    }
  }
}

const invalid = () =>
  new GatewayError(
    'invitation_invalid',
    'It was used already, was withdrawn, or has ended. Nothing was changed. Ask the person who sent it for a new one.'
  )

const maxNameCharacters = 80

/** The name under which somebody asks: what a page can show in a line. */
export function parseInviterName(given: unknown): string {
  if (given === undefined) return ''
  const name = typeof given === 'string' ? given.trim() : undefined
  if (name === undefined || name.length > maxNameCharacters || toSingleLine(name) !== name)
    throw new GatewayError(
      'request_malformed',
      `"name" is the name that the invited person will see: text of ${maxNameCharacters} characters at most.`
    )
  return name
}
