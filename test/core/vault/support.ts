import type { Connection } from '../../../src/core/connections/connection.ts'
import { createFlow, type Flow, flowId } from '../../../src/core/flow.ts'
import { Secret } from '../../../src/core/secret.ts'
import type { CallbackRequest, PresentedFlows, Session, SessionRef } from '../../../src/core/session.ts'
import { userOwner } from '../../../src/core/users/owner.ts'
import type { Principal, UserPrincipal } from '../../../src/core/users/principal.ts'
import type { StoredConnection } from '../../../src/core/vault/owned-connections.ts'
import type { Versioned } from '../../../src/core/vault/records.ts'
import type { ConnectResult } from '../../../src/core/vault/session-rotation.ts'
import type { ConnectionSelector, OpenedConnections, Vault } from '../../../src/core/vault/vault.ts'
import { connectionWith, keyOf, revealSecrets, sessionOf, startMs } from '../support.ts'

export const umbrella = connectionWith({ provider: 'umbrella', credential: new Secret('access-u') })
export const initech = connectionWith({ provider: 'initech', credential: new Secret('access-i') })

export const withCredential = (credential: string, connection: Connection = connectionWith()): Connection => ({
  ...connection,
  credential: new Secret(credential)
})

/** A first sign-in with a delivered session. */
export const signIn = async (vault: Vault, owner = 'owner', connection = connectionWith()): Promise<Session> =>
  deliver(vault, await vault.connect(owner, undefined, connection))

/** Presents the session's cookie, as a browser does that has received it. @returns the session as it is stored then */
export async function deliver(vault: Vault, result: ConnectResult | Session): Promise<Session> {
  return (await openLive(vault, 'kind' in result ? sessionOf(result) : result)).session.value
}

/** Opens a session that must be live, with all connections. */
export async function openLive(vault: Vault, ref: SessionRef): Promise<OpenedConnections & { session: Versioned<Session> }> {
  const opened = await vault.openAll(ref)
  if (!opened?.session) throw new Error('the session has ended')
  return { ...opened, session: opened.session }
}

export const newFlow = (): Flow => createFlow({ provider: 'acme', returnTo: '/', owner: 'owner', startsSession: true }, startMs)

/** A browser with these sign-ins in flight, and the requests of their callbacks. */
export function browserWith(...flows: Flow[]) {
  const presentedFlows = flows.map(flowId)
  return {
    browser: { flows } satisfies PresentedFlows,
    callbackOf: (flow: Flow, startedAtMs = startMs): CallbackRequest => ({ flow: flowId(flow), presentedFlows, startedAtMs })
  }
}

/** A user whom a bearer names. */
export const ada: UserPrincipal = {
  owner: userOwner('x'.repeat(43)),
  user: { issuer: 'https://id.example', claim: 'sub', id: 'ada' }
}

/** A connection to an account at Acme. Its credential is named after it. */
export const accountWith = (id: string, overrides: Partial<Connection> = {}): Connection =>
  connectionWith({ id, accountId: id, credential: new Secret(`access-${id}`), ...overrides })

/** Ids of the connections to Acme that are shown, the default account's first. */
export const accountsOf = async (vault: Vault, principal: Principal = ada, browser?: PresentedFlows): Promise<string[]> =>
  ((await vault.openAll(principal, browser))?.connections.of('acme') ?? []).map(({ value }) => value.id)

/** The credential that a request is proxied with. @param id of the connection; the default account's if left out */
export const credentialOf = async (vault: Vault, id?: string, principal: Principal = ada, browser?: PresentedFlows) =>
  (await vault.open(principal, { provider: 'acme', id }, browser))?.connection?.value.credential.reveal()

/** Names of the connected providers that a session shows, sorted. */
export const providersIn = async (vault: Vault, ref: SessionRef, browser?: PresentedFlows): Promise<string[]> =>
  [...((await vault.openAll(ref, browser))?.connections.providers() ?? [])].sort()

/** Opens a session and its connections, with the secrets as text, so that they can be compared. */
export async function openAsText(vault: Vault, ref: SessionRef) {
  const opened = await vault.openAll(ref)
  if (!opened) return undefined
  const connections = [...opened.connections].map(({ key, value }) => [key.name, revealSecrets(value)] as const)
  return { session: opened.session?.value, connections }
}

/** Opens a session and one connection, with the secrets as text, so that they can be compared. */
export async function openOneAsText(vault: Vault, ref: SessionRef, selector?: ConnectionSelector) {
  const opened = await vault.open(ref, selector)
  return opened && { session: opened.session?.value, connection: opened.connection && revealSecrets(opened.connection.value) }
}

/** Reads a connection that must exist. */
export async function readConnection(vault: Vault, owner = 'owner', provider = 'acme'): Promise<StoredConnection> {
  const connection = await vault.readConnection(keyOf(owner, provider))
  if (!connection) throw new Error(`${owner} has no connection to ${provider}`)
  return connection
}
