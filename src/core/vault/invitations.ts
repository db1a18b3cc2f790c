import type { Connection } from '../connections/connection.ts'
import { connectionRequired } from '../connections/errors.ts'
import { timestamp } from '../connections/view.ts'
import { GatewayError } from '../errors.ts'
import { isLive, newId } from '../session.ts'
import { isUserOwner } from '../users/owner.ts'
import type { User } from '../users/user.ts'
import { toSingleLine } from '../util/display-text.ts'
import type { Cipher } from './cipher.ts'
import { extendSessions, invitationLifetimeMs, tooManyConflicts, type VaultDependencies } from './owner-sessions.ts'
import { type AccountChoice, type Placement, placeConnection } from './placement.ts'
import { createRecords, expectVersion, type FieldMap, invitationPrefix, type Version, type Versioned, versionOf } from './records.ts'

/** Permission for another user to connect one provider, once, for a session to which they get no access. */
export type Invitation = {
  readonly id: string
  readonly provider: string
  readonly account?: AccountChoice
  /** The inviter's name, in their own words. */
  readonly name: string
  readonly createdAtMs: number
  readonly expiresAtMs: number
}

/** What an invitation is for, and who the owner is if the request says it. */
type WantedConnection = Pick<Invitation, 'provider' | 'name' | 'account'> & { readonly user?: User }

type Redeem = { readonly field: string; readonly version: Version; readonly account?: AccountChoice }

/** An open invitation, with its inviter and what `connectInvited` needs to redeem it. */
export type RedeemableInvitation = {
  readonly owner: string
  readonly invitation: Invitation
  readonly redeem: Redeem
}

export type Invitations = {
  /**
   * Extends the owner's sessions for as long as the invitation is open.
   * @returns the invitation and the secret part of its link, which is not stored
   * @throws {GatewayError} `connection_required` when the session has ended meanwhile, `store_unavailable` after too many conflicts
   */
  create(owner: string, wanted: WantedConnection): Promise<{ invitation: Invitation; token: string }>
  /** Oldest first. */
  list(owner: string): Promise<Invitation[]>
  /** @returns whether it was open */
  withdraw(owner: string, id: string): Promise<boolean>
  /** @throws {GatewayError} `invitation_invalid` when the link was altered, or the invitation redeemed, withdrawn or expired */
  find(token: string): Promise<RedeemableInvitation>
  /** For the ids in the sealed flow of a sign-in. @throws {GatewayError} `invitation_invalid` */
  findById(owner: string, id: string): Promise<RedeemableInvitation>
}

export type InvitationAcceptance = {
  /**
   * Stores the connection that an invited user made, redeems the invitation, and extends the owner's sessions by the lifetime of an
   * invitation, so that the owner finds the connection there.
   * @returns the connection as it was stored, and the one that it replaces; with nothing stored, `full` when the owner has too many
   * accounts, and `undefined` when the invitation was redeemed or withdrawn, or the session has ended
   */
  connectInvited(
    owner: string,
    connection: Connection,
    invitation: Redeem
  ): Promise<Pick<Placement, 'stored' | 'replaced'> | 'full' | undefined>
}

/** Attempts to commit, in case of concurrent writes to the same session. */
const maxAttempts = 10
/** Of one owner. One more deletes the oldest. */
const maxOpenInvitations = 20
/** Binds sealed links to their purpose: nothing else that is sealed opens as a link. */
const linkContext = 'v1\0invitation link'

type InvitationsDependencies = Pick<VaultDependencies, 'store' | 'limits' | 'connectionIdleMs' | 'clock'> & { cipher: Cipher }

/** Invitations are records of the owner who made them. While one is open, the idle limit does not end the owner's session. */
export function createInvitations({ store, cipher, limits, connectionIdleMs, clock }: InvitationsDependencies): Invitations {
  const records = createRecords(cipher)
  const fieldOf = (id: string) => invitationPrefix + id

  function openInvitation(owner: string, id: string, record: Buffer | undefined): Versioned<Invitation> | undefined {
    const invitation = records.open(owner, fieldOf(id), record, plain => ({ ...JSON.parse(plain.toString()), id }) as Invitation)
    return invitation && invitation.value.expiresAtMs > clock.now() ? invitation : undefined
  }

  const openInvitations = (owner: string, fields: FieldMap): Invitation[] =>
    [...fields]
      .filter(([field]) => field.startsWith(invitationPrefix))
      .map(([field, record]) => openInvitation(owner, field.slice(invitationPrefix.length), record)?.value)
      .filter(invitation => invitation !== undefined)
      .sort((a, b) => a.createdAtMs - b.createdAtMs)

  async function findById(owner: string, id: string): Promise<RedeemableInvitation> {
    const fields = await store.readAll(owner)
    const found = openInvitation(owner, id, fields.get(fieldOf(id)))
    // The session may have ended all the same, when the operator lowered its limits: then the connection would be of no use.
    const hasLiveSession =
      isUserOwner(owner) || records.sessionsIn(owner, fields).sessions.some(({ value }) => isLive(value, limits, clock.now()))
    if (!found || !hasLiveSession) throw invalid()
    return { owner, invitation: found.value, redeem: { field: fieldOf(id), version: found.version, account: found.value.account } }
  }

  return {
    list: async owner => openInvitations(owner, await store.readAll(owner)),
    findById,

    async create(owner, { user, ...wanted }) {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const createdAtMs = clock.now()
        const fields = await store.readAll(owner)
        const extension = extendSessions(
          { records, limits, connectionIdleMs, clock },
          owner,
          fields,
          createdAtMs + invitationLifetimeMs,
          true
        )
        if (!extension) throw connectionRequired(wanted.provider)
        const id = newId()
        const content = { ...wanted, createdAtMs, expiresAtMs: extension.untilMs }
        const oldest = openInvitations(owner, fields).slice(0, 1 - maxOpenInvitations)
        const isCommitted = await store.commit(owner, {
          expect: extension.expect,
          put: [
            ...extension.put,
            records.seal(owner, fieldOf(id), Buffer.from(JSON.stringify(content))),
            ...(user ? [records.sealUser(owner, fields, user)] : [])
          ],
          remove: [...extension.remove, ...oldest.map(invitation => fieldOf(invitation.id))],
          ttlMs: extension.ttlMs
        })
        const token = cipher.seal(Buffer.from(`${owner} ${id}`), linkContext).toString('base64url')
        if (isCommitted) return { invitation: { id, ...content }, token }
      }
      throw tooManyConflicts()
    },

    async withdraw(owner, id) {
      const [record] = await store.read(owner, [fieldOf(id)])
      if (!openInvitation(owner, id, record)) return false
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

/** The vault's part in invitations: it commits through the record cache. */
export function createInvitationAcceptance({
  store,
  records,
  limits,
  connectionIdleMs,
  clock,
  commit
}: VaultDependencies): InvitationAcceptance {
  return {
    async connectInvited(owner, connection, { field, version, account }) {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const fields = await store.readAll(owner)
        const untilMs = clock.now() + invitationLifetimeMs
        const extension = extendSessions({ records, limits, connectionIdleMs, clock }, owner, fields, untilMs, false)
        if (!extension) return undefined
        const placement = placeConnection(records, owner, fields, connection, account)
        if (!placement) return 'full'
        const { stored, replaced, change } = placement
        const isCommitted = await commit(owner, {
          expect: [...extension.expect, expectVersion(field, version), ...change.expect],
          put: [...extension.put, ...change.put],
          remove: [...extension.remove, field],
          ttlMs: extension.ttlMs
        })
        if (isCommitted) return { stored, replaced }
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

/** The name that a user's sign-in has told, if it can stand for one that they give themselves. */
const inviterNameOf = (user: User | undefined): string => {
  const name = user?.name ?? ''
  return name.length <= maxNameCharacters && toSingleLine(name) === name ? name : ''
}

/** @returns the inviter's name as a page can show it on one line; empty if none is given. @throws {GatewayError} `request_malformed` */
export const parseInviterName = (value: unknown): string => parseName(value, 'the name that the invited person will see')

/** @returns the invited person's name, likewise. @throws {GatewayError} `request_malformed` */
export const parseInvitedName = (value: unknown): string => parseName(value, 'your name, as the person who invited you will see it')

function parseName(value: unknown, meaning: string): string {
  if (value === undefined) return ''
  const name = typeof value === 'string' ? value.trim() : undefined
  if (name === undefined || name.length > maxNameCharacters || toSingleLine(name) !== name)
    throw new GatewayError('request_malformed', `"name" is ${meaning}: text of ${maxNameCharacters} characters at most.`)
  return name
}

/** What an invitation is for. Without a name of the inviter it shows the user's. */
export const wantedConnection = ({
  provider,
  name,
  account,
  user
}: {
  readonly provider: string
  readonly name: string
  readonly account: AccountChoice | undefined
  readonly user: User | undefined
}): WantedConnection => ({
  provider,
  name: name === '' ? inviterNameOf(user) : name,
  ...(account !== undefined && { account }),
  ...(user && { user })
})

/** Without the link's secret, which is shown once. Times are RFC 3339 in UTC. */
export const invitationView = ({ id, provider, name, createdAtMs, expiresAtMs }: Invitation) => ({
  id,
  provider,
  ...(name !== '' && { name }),
  createdAt: timestamp(createdAtMs),
  expiresAt: timestamp(expiresAtMs)
})

/** The link that the invited person opens. */
export const invitationUrl = (publicUrl: string, token: string): string => `${publicUrl}/invitations/${token}`
