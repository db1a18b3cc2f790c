import type { Connection } from '../../../src/core/connections/connection.ts'
import { createFlow, type Flow, flowId } from '../../../src/core/flow.ts'
import { Secret } from '../../../src/core/secret.ts'
import type { CallbackRequest, PresentedFlows, Session, SessionRef } from '../../../src/core/session.ts'
import type { Versioned } from '../../../src/core/vault/records.ts'
import type { ConnectResult } from '../../../src/core/vault/session-rotation.ts'
import type { Vault } from '../../../src/core/vault/vault.ts'
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
  const opened = await vault.openAll('kind' in result ? sessionOf(result) : result)
  if (!opened) throw new Error('the session has ended')
  return opened.session.value
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

/** Names of the connected providers that a session shows, sorted. */
export const providersIn = async (vault: Vault, ref: SessionRef, browser?: PresentedFlows): Promise<string[]> =>
  [...((await vault.openAll(ref, browser))?.connections.keys() ?? [])].sort()

/** Opens a session with its secrets as text, so that it can be compared. @param providers all if left out */
export async function openAsText(vault: Vault, ref: SessionRef, providers?: readonly string[]) {
  const opened = await (providers ? vault.open(ref, providers) : vault.openAll(ref))
  if (!opened) return undefined
  const connections = [...opened.connections].map(([name, { value }]) => [name, revealSecrets(value)] as const)
  return { session: opened.session.value, connections }
}

/** Reads a connection that must exist. */
export async function readConnection(vault: Vault, owner = 'owner', provider = 'acme'): Promise<Versioned<Connection>> {
  const connection = await vault.readConnection(keyOf(owner, provider))
  if (!connection) throw new Error(`${owner} has no connection to ${provider}`)
  return connection
}
