import { createHash } from 'node:crypto'
import type { Connection } from '../connections/connection.ts'
import { ConnectionKey } from '../connections/connection-key.ts'
import { reconnectRequired } from '../connections/errors.ts'
import type { Clock } from '../ports.ts'
import type { CredentialCheck, Provider } from '../provider/definition.ts'
import { splitTarget } from '../util/request-target.ts'
import { withTimeout } from '../util/timeout.ts'
import type { Vault } from '../vault/vault.ts'
import { sendCheckRequest } from './check-request.ts'
import type { ProxiedRequest } from './forward.ts'
import { connectionOf, requestKey, type UnauthorizedMemo } from './unauthorized-memo.ts'
import type { Send } from './upstream.ts'

export type UnauthorizedCheckDependencies = {
  readonly send: Send
  readonly vault: Pick<Vault, 'readConnection' | 'replace'>
  readonly clock: Clock
  /** Told when a connection is over, and by what that was known. */
  readonly onEnded: (connection: Connection, why: string) => void
  /** Told what went wrong in the background, of the provider or the store: then nothing has changed. */
  readonly onFailed: (connection: Connection, error: unknown) => void
}

/** The longest that a call waits for what is being found out about its connection. */
const patienceMs = 1_000
/** A second refusal at the same place says more than the first only so long after it: a provider's failover is over by then. */
const sameAgainMs = 60_000

/**
 * Finds out what a refusal means for a credential that nothing can renew: the provider may have ended it, or may not let it do this
 * one thing, or may have been wrong for a moment. The refusal itself passes to the client; this goes on in the background.
 *
 * Where the definition has a check call, that says whether the credential is over. Where it has none, the first refusal is noted in the
 * connection's record, for all instances, and a second one, of a call that began after the note, is believed when it comes from another
 * place or a minute later. A success in between takes the note away.
 */
export function createUnauthorizedCheck(
  { send, vault, clock, onEnded, onFailed }: UnauthorizedCheckDependencies,
  refusals: UnauthorizedMemo
) {
  /** What is being found out, by connection; with how the connection stands then. */
  const underWay = new Map<string, Promise<Connection | undefined>>()

  /** One at a time for each connection: refusals at once have one cause. */
  function begin(call: ProxiedRequest, connection: Connection, work: () => Promise<Connection | undefined>): void {
    const key = connectionOf(call)
    if (underWay.has(key)) return
    const found = work()
      .catch(error => {
        onFailed(connection, error)
        return undefined
      })
      .finally(() => underWay.delete(key))
    underWay.set(key, found)
  }

  async function ask(call: ProxiedRequest, connection: Connection, check: CredentialCheck): Promise<Connection | undefined> {
    refusals.recordFutileRenewal(connectionOf(call))
    const response = await sendCheckRequest(send, call.provider, connection, check)
    if (response?.verdict === 'refused') return end(call, connection, `its check call was answered ${response.head.status}`)
    // Good, and not for this: until the memory of the place ends, a refusal there is no question any more.
    if (response?.verdict === 'accepted' || response?.verdict === 'forbidden') refusals.note(requestKey(call), connection.credential, true)
    return undefined
  }

  async function suspect(call: ProxiedRequest, connection: Connection): Promise<Connection | undefined> {
    const noted = connection.firstUnauthorized
    const [place, atMs] = [markOf(call), clock.now()]
    // Another instance may have noted one meanwhile.
    const note = (value: Connection): Connection => ({ ...value, firstUnauthorized: value.firstUnauthorized ?? { place, atMs } })
    if (!noted) return change(call, connection, note)
    const isElsewhere = noted.place !== place
    if (!isElsewhere && atMs - noted.atMs < sameAgainMs) return undefined
    const why = `it was refused ${isElsewhere ? 'at two places' : 'again after a minute'}, with no success in between`
    // Where a success on another instance has taken the note away, this is the first again.
    return end(call, connection, why, value => (value.firstUnauthorized?.atMs === noted.atMs ? ended(value) : note(value)))
  }

  /** @param to what becomes of it */
  async function end(call: ProxiedRequest, connection: Connection, why: string, to: (kept: Connection) => Connection = ended) {
    const standing = await change(call, connection, to)
    if (standing?.status === 'reconnect_required') onEnded(standing, why)
    return standing
  }

  /** Writes over the record for as long as it has this credential. @returns what stands there then */
  async function change({ owner }: ProxiedRequest, { provider, credential }: Connection, to: (value: Connection) => Connection) {
    for (;;) {
      const kept = await vault.readConnection(new ConnectionKey(owner, provider))
      if (kept?.value.status !== 'connected' || !kept.value.credential.equals(credential)) return undefined
      const written = await vault.replace(new ConnectionKey(owner, provider), kept, to(kept.value))
      if (written) return written.value
    }
  }

  return {
    /**
     * The connection as it stands when what is being found out about it is known, or at the latest after a second.
     * @throws {GatewayError} `reconnect_required`
     */
    async settled(call: ProxiedRequest): Promise<Connection> {
      const found = underWay.get(connectionOf(call))
      const standing = found && (await withTimeout(patienceMs, found).catch(() => undefined))
      // A new sign-in or key may have come in between.
      if (!standing?.credential.equals(call.connection.credential)) return call.connection
      if (standing.status === 'reconnect_required') throw reconnectRequired(standing.provider)
      return standing
    },

    /** The provider refused what `call` carried. */
    refused(call: ProxiedRequest, connection: Connection): void {
      // A check that ended while this call was in flight has explained it.
      if (refusals.has(connectionOf(call), requestKey(call), connection.credential)) return
      const check = checkOf(call.provider, connection)
      begin(call, connection, () => (check ? ask(call, connection, check) : suspect(call, connection)))
    },

    /** It took what had been refused before. */
    served(call: ProxiedRequest, connection: Connection): void {
      begin(call, connection, () => change(call, connection, ({ firstUnauthorized: _, ...rest }) => rest))
    }
  }
}

const ended = ({ firstUnauthorized: _, ...rest }: Connection): Connection => ({ ...rest, status: 'reconnect_required' })

const checkOf = ({ methods: { oauth2, apiKey } }: Provider, { method }: Connection): CredentialCheck | undefined =>
  method === 'oauth2' ? oauth2?.check : apiKey?.check

/** Of the path alone, which may be long, and hold what belongs in no record. */
const markOf = ({ target }: ProxiedRequest): string =>
  createHash('sha256').update(splitTarget(target).path).digest('base64url').slice(0, 16)
