import { createHash } from 'node:crypto'
import type { Connection } from '../connections/connection.ts'
import { definitionOf, methodOf } from '../connections/connection-definition.ts'
import { reconnectRequired } from '../connections/errors.ts'
import type { EndReason, Events } from '../events.ts'
import type { Clock } from '../ports.ts'
import type { CredentialCheck, Provider } from '../provider/definition.ts'
import { splitTarget } from '../util/request-target.ts'
import { withTimeout } from '../util/timeout.ts'
import type { Vault } from '../vault/vault.ts'
import { sendCheckRequest } from './check-request.ts'
import { isRequestable } from './get-document.ts'
import type { ProxiedRequest } from './proxied-request.ts'
import { requestKey, type UnauthorizedMemo } from './unauthorized-memo.ts'
import type { Send } from './upstream.ts'

export type UnauthorizedCheckDependencies = {
  readonly send: Send
  readonly vault: Pick<Vault, 'readConnection' | 'replace'>
  readonly clock: Clock
  readonly events: Events
}

/** Longest wait of a request for a check of its connection. */
const maxWaitMs = 1_000
/** A second 401 on the same path counts only this long after the first, when a failover at the provider is over. */
const minRepeatMs = 60_000

/**
 * Finds out in the background what a 401 means for a credential that cannot be renewed: that the provider has ended it, that it lacks a
 * permission, or that the provider had a transient error. The client gets the 401 itself.
 *
 * If the definition has a check request, that decides. If not, the first 401 is stored in the connection's record, for all replicas, and
 * a second one ends the connection when it comes from another path or a minute later, and its request was sent after the first was
 * stored. A success in between deletes the first.
 */
export function createUnauthorizedCheck({ send, vault, clock, events }: UnauthorizedCheckDependencies, memo: UnauthorizedMemo) {
  /** By connection key. Resolves with the connection as stored by then, if it is known. */
  const inFlight = new Map<string, Promise<Connection | undefined>>()

  /** Single flight for each connection: concurrent 401s have one cause. */
  function start(request: ProxiedRequest, work: () => Promise<Connection | undefined>): void {
    const { id, owner, provider } = request.key
    if (inFlight.has(id)) return
    const flight = work()
      .catch(error => {
        // The connection has not changed.
        events.publish('check.failed', { owner, provider, code: error.code })
        return undefined
      })
      .finally(() => inFlight.delete(id))
    inFlight.set(id, flight)
  }

  async function runCheck(request: ProxiedRequest, connection: Connection, check: CredentialCheck): Promise<Connection | undefined> {
    memo.recordFutileRenewal(request.key)
    const result = await sendCheckRequest(send, definitionOf(request.provider, connection), connection, check)
    if (result?.verdict === 'refused') return end(request, connection, { reason: 'check_refused', status: result.head.status })
    // The credential is good, and not for this path: no further check of it until the memo entry expires.
    if (result?.verdict === 'accepted' || result?.verdict === 'forbidden') memo.record(requestKey(request), connection.credential, true)
    return undefined
  }

  async function recordUnauthorized(request: ProxiedRequest, connection: Connection): Promise<Connection | undefined> {
    const first = connection.firstUnauthorized
    const [place, atMs] = [pathHash(request), clock.now()]
    // Another replica may have stored one in the meantime.
    const withFirst = (value: Connection): Connection => ({ ...value, firstUnauthorized: value.firstUnauthorized ?? { place, atMs } })
    if (!first) return update(request, connection, withFirst)
    const isOtherPath = first.place !== place
    if (!isOtherPath && atMs - first.atMs < minRepeatMs) return undefined
    // If another replica has deleted the first after a success, this one is the first.
    const reason = isOtherPath ? 'refused_elsewhere' : 'refused_again'
    return end(request, connection, { reason }, value => (value.firstUnauthorized?.atMs === first.atMs ? ended(value) : withFirst(value)))
  }

  async function end(
    request: ProxiedRequest,
    connection: Connection,
    { reason, status }: { reason: EndReason; status?: number },
    change: (stored: Connection) => Connection = ended
  ) {
    const { owner, provider } = request.key
    const updated = await update(request, connection, change)
    if (updated?.status === 'reconnect_required')
      events.publish('connection.ended', { owner, provider, method: connection.method, reason, status })
    return updated
  }

  /** Changes the record while it still has this credential. @returns the record as stored; `undefined` if the credential is another by now */
  async function update({ key }: ProxiedRequest, { credential }: Connection, change: (stored: Connection) => Connection) {
    for (;;) {
      const record = await vault.readConnection(key)
      if (record?.value.status !== 'connected' || !record.value.credential.equals(credential)) return undefined
      const written = await vault.replace(key, record, change(record.value))
      if (written) return written.value
    }
  }

  return {
    /**
     * Waits up to a second for a check in flight.
     * @returns the connection as it is after the check
     * @throws {GatewayError} `reconnect_required`
     */
    async settle(request: ProxiedRequest): Promise<Connection> {
      const flight = inFlight.get(request.key.id)
      const updated = flight && (await withTimeout(maxWaitMs, flight).catch(() => undefined))
      // A new sign-in or key may have replaced the credential that was checked.
      if (!updated?.credential.equals(request.connection.credential)) return request.connection
      if (updated.status === 'reconnect_required') throw reconnectRequired(updated.provider)
      return updated
    },

    onUnauthorized(request: ProxiedRequest, connection: Connection): void {
      // A check that ended while this request was in flight has explained it.
      if (memo.has(request.key, requestKey(request), connection.credential)) return
      const check = checkOf(definitionOf(request.provider, connection), connection)
      start(request, () => (check ? runCheck(request, connection, check) : recordUnauthorized(request, connection)))
    },

    /** For a connection with a stored 401: it is deleted. */
    onSuccess(request: ProxiedRequest, connection: Connection): void {
      start(request, () => update(request, connection, ({ firstUnauthorized: _, ...rest }) => rest))
    }
  }
}

const ended = ({ firstUnauthorized: _, ...rest }: Connection): Connection => ({ ...rest, status: 'reconnect_required' })

function checkOf(definition: Provider, connection: Connection): CredentialCheck | undefined {
  const check = methodOf(definition, connection)?.check
  return check && isRequestable(definition, check) ? check : undefined
}

/** A hash, because a path can be long and hold what must not be in a record. */
const pathHash = ({ base = '', target }: ProxiedRequest): string =>
  createHash('sha256')
    .update(base + splitTarget(target).path)
    .digest('base64url')
    .slice(0, 16)
