import type { Cipher } from './cipher.ts'
import { GatewayError } from './errors.ts'
import { inOneLine } from './one-line.ts'
import type { Clock, Store } from './ports.ts'
import { createRecords, invitationPrefix, type Version, type Versioned } from './records.ts'
import { newId, type Session, type SessionLimits } from './session.ts'

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
export type Invited = { readonly owner: string; readonly invitation: Invitation; readonly spend: { field: string; version: Version } }

export type Invitations = {
  /** @returns the invitation and the secret part of its link, which is not kept. */
  invite(session: Session, provider: string, name: string): Promise<{ invitation: Invitation; token: string }>
  /** Oldest first. */
  list(owner: string): Promise<Invitation[]>
  /** @returns whether there was one. */
  withdraw(owner: string, id: string): Promise<boolean>
  /** @throws {GatewayError} `invitation_invalid` when the link was tampered with, or its invitation was used, withdrawn, or has ended */
  find(token: string): Promise<Invited>
  /** The same by what the sealed flow of a sign-in remembers. */
  findById(owner: string, id: string): Promise<Invited>
}

const lifetimeMs = 7 * 24 * 60 * 60_000
/** Open ones of one owner; the oldest goes. */
const mostOpen = 20
/** A link is sealed for this and opens as nothing else. */
const linkContext = 'v1\0invitation link'

type Parts = { store: Store; cipher: Cipher; limits: SessionLimits; clock: Clock }

/** Invitations lie with the records of the owner who made them, and end with the session: nobody would be there to use what they bring. */
export function createInvitations({ store, cipher, limits, clock }: Parts): Invitations {
  const { seal, open } = createRecords(cipher)
  const fieldOf = (id: string) => invitationPrefix + id

  function opened(owner: string, id: string, record: Buffer | undefined): Versioned<Invitation> | undefined {
    const found = open(owner, fieldOf(id), record, plain => ({ ...JSON.parse(plain.toString()), id }) as Invitation)
    return found && found.value.expiresAtMs > clock.now() ? found : undefined
  }

  async function list(owner: string): Promise<Invitation[]> {
    const records = [...(await store.readAll(owner))].filter(([field]) => field.startsWith(invitationPrefix))
    return records
      .map(([field, record]) => opened(owner, field.slice(invitationPrefix.length), record)?.value)
      .filter(invitation => invitation !== undefined)
      .sort((a, b) => a.createdAtMs - b.createdAtMs)
  }

  async function findById(owner: string, id: string): Promise<Invited> {
    const [record] = await store.read(owner, [fieldOf(id)])
    const found = opened(owner, id, record)
    if (!found) throw invalid()
    return { owner, invitation: found.value, spend: { field: fieldOf(id), version: found.version } }
  }

  return {
    list,
    findById,

    async invite({ owner, createdAtMs: sessionBeganMs }, provider, name) {
      const createdAtMs = clock.now()
      const expiresAtMs = Math.min(createdAtMs + lifetimeMs, sessionBeganMs + limits.maxMs)
      const { id, ...kept } = { id: newId(), provider, name, createdAtMs, expiresAtMs }
      const pushedOut = (await list(owner)).slice(0, 1 - mostOpen)
      const put = [seal(owner, fieldOf(id), Buffer.from(JSON.stringify(kept)))]
      await store.commit(owner, { put, erase: pushedOut.map(invitation => fieldOf(invitation.id)) })
      const token = cipher.seal(Buffer.from(`${owner} ${id}`), linkContext).toString('base64url')
      return { invitation: { id, ...kept }, token }
    },

    async withdraw(owner, id) {
      const [record] = await store.read(owner, [fieldOf(id)])
      if (!opened(owner, id, record)) return false
      await store.commit(owner, { erase: [fieldOf(id)] })
      return true
    },

    async find(token) {
      const [owner, id] = cipher.open(Buffer.from(token, 'base64url'), linkContext)?.toString().split(' ') ?? []
      if (owner === undefined || id === undefined) throw invalid()
      return findById(owner, id)
    }
  }
}

const invalid = () =>
  new GatewayError(
    'invitation_invalid',
    'It was used already, was withdrawn, or has ended. Nothing was changed. Ask the person who sent it for a new one.'
  )

const mostNameCharacters = 80

/** The name under which somebody asks: what a page can show in a line. */
export function inviterName(given: unknown): string {
  if (given === undefined) return ''
  const name = typeof given === 'string' ? given.trim() : undefined
  if (name === undefined || name.length > mostNameCharacters || inOneLine(name) !== name)
    throw new GatewayError(
      'request_malformed',
      `"name" is the name that the invited person will see: text of ${mostNameCharacters} characters at most.`
    )
  return name
}
