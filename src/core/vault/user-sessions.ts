import type { Connection } from '../connections/connection.ts'
import type { Change } from '../ports.ts'
import { Secret } from '../secret.ts'
import { newSession, type Session, type SessionRef } from '../session.ts'
import type { User } from '../users/user.ts'
import { createOwnerSessions, expectUnchanged, type VaultDependencies } from './owner-sessions.ts'
import { connectionField, expectVersion, type FieldMap, loginField, loginPrefix, sessionPrefix, userField } from './records.ts'

/** What is kept of a user's sign-in for as long as the session lasts. */
export type Login = {
  /** The identity provider's id of its session (OpenID Connect Back-Channel Logout 1.0 §2.1). */
  readonly sid?: string | undefined
  /** Sent as a hint when the user signs out (OpenID Connect RP-Initiated Logout 1.0 §2). */
  readonly idToken: Secret
}

/** The sessions of users' browsers. They come and go; the user's connections stay. */
export type UserSessions = {
  /** Starts a session of a user in a browser, and deletes those that have ended. */
  signIn(owner: string, user: User, options: { readonly login: Login; readonly takeover?: string }): Promise<Session>
  /** Ends the offer to take over what the browser had before. */
  endTakeoverOffer(ref: SessionRef): Promise<void>
  /** Ends one session. @returns how the user had signed in; `undefined` when it had ended before */
  signOut(ref: SessionRef): Promise<Login | undefined>
  /** Ends the user's sessions, or those of one session of the identity provider. @returns how many */
  endSessions(owner: string, sid?: string): Promise<number>
  /** The ids of the identity provider's sessions in which the user's sessions began. */
  issuerSessions(owner: string): Promise<string[]>
  /** Deletes everything of a user but live sessions. @returns the connections as they were last stored */
  deleteConnections(owner: string): Promise<Connection[]>
}

export function createUserSessions({ store, records, limits, connectionIdleMs, clock, commit }: VaultDependencies): UserSessions {
  const { ttlOf, findLive, currentSessions, expiredFields, transact } = createOwnerSessions({
    store,
    records,
    limits,
    connectionIdleMs,
    clock,
    commit
  })

  const sealLogin = (owner: string, id: string, { sid, idToken }: Login) =>
    records.seal(owner, loginField(id), Buffer.from(JSON.stringify({ sid, idToken: idToken.reveal() })))

  const openLogin = (owner: string, id: string, fields: FieldMap): Login | undefined =>
    records.open(owner, loginField(id), fields.get(loginField(id)), plain => {
      const { sid, idToken } = JSON.parse(plain.toString())
      return { sid, idToken: new Secret(idToken) }
    })?.value

  return {
    signIn: (owner, user, { login, takeover }) =>
      transact<Session>(owner, fields => {
        const session = { ...newSession(owner, clock.now()), ...(takeover !== undefined && { takeover }) }
        const put = [records.sealSession(session), sealLogin(owner, session.id, login), records.sealUser(owner, fields, user)]
        return { change: { put, remove: expiredFields(owner, fields), ttlMs: ttlOf(owner) }, outcome: session }
      }),

    endTakeoverOffer: ref =>
      transact<void>(ref.owner, fields => {
        const session = findLive(fields, ref)
        if (session?.value.takeover === undefined) return { outcome: undefined }
        const { takeover: _, ...rest } = session.value
        return { change: { expect: [expectUnchanged(session)], put: [records.sealSession(rest)] }, outcome: undefined }
      }),

    signOut: ref =>
      transact<Login | undefined>(ref.owner, fields => {
        const session = findLive(fields, ref)
        const login = session && openLogin(ref.owner, ref.id, fields)
        return { change: { remove: [sessionPrefix + ref.id, loginField(ref.id)] }, outcome: login }
      }),

    endSessions: (owner, sid) =>
      transact<number>(owner, fields => {
        const doomed = currentSessions(owner, fields).filter(
          ({ value }) => sid === undefined || openLogin(owner, value.id, fields)?.sid === sid
        )
        const remove = doomed.flatMap(({ value }) => [sessionPrefix + value.id, loginField(value.id)])
        return { ...(remove.length > 0 && { change: { remove } }), outcome: doomed.length }
      }),

    issuerSessions: async owner => {
      const fields = await store.readAll(owner)
      const ids = [...fields.keys()].filter(field => field.startsWith(loginPrefix)).map(field => field.slice(loginPrefix.length))
      return ids.map(id => openLogin(owner, id, fields)?.sid).filter(sid => sid !== undefined)
    },

    deleteConnections: owner =>
      transact<Connection[]>(owner, fields => {
        const connections = [...records.connectionsIn(owner, fields)]
        const isSignedIn = currentSessions(owner, fields).length > 0
        const change: Change = {
          expect: connections.map(({ key, version }) => expectVersion(connectionField(key), version)),
          remove: [...fields.keys()].filter(field => !isSignedIn || !isOfSession(field))
        }
        return { ...(fields.size > 0 && { change }), outcome: connections.map(({ value }) => value) }
      })
  }
}

const isOfSession = (field: string): boolean => field.startsWith(sessionPrefix) || field.startsWith(loginPrefix) || field === userField
