import { randomBytes } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Scheduler } from 'fast-check'
import { type Connection, connectionFromGrant, decodeConnection, type Grant } from '../../../../src/core/connections/connection.ts'
import { GatewayError } from '../../../../src/core/errors.ts'
import { createEvents } from '../../../../src/core/events.ts'
import { createRenewal } from '../../../../src/core/oauth/renewal.ts'
import type { TokenEndpoint } from '../../../../src/core/oauth/token-endpoint.ts'
import { recordRateLimit } from '../../../../src/core/proxy/provider-rate-limit.ts'
import type { Session } from '../../../../src/core/session.ts'
import { createCipher } from '../../../../src/core/vault/cipher.ts'
import { createVault } from '../../../../src/core/vault/vault.ts'
import { connectionIdleMs, keyOf, limits, minute, second } from '../../support.ts'
import { createFakeProvider, type FakeProvider, type ProviderPlan } from './fake-provider.ts'
import { createFakeStore, type FakeStore, type StorePlan } from './fake-store.ts'
import { createProcess, type Fate, type Process } from './process.ts'
import { createTime } from './time.ts'

/** The events of a run, apart from the order of its steps. Times count from the start, or from the event before in the same list. */
export type Plan = StorePlan &
  ProviderPlan & {
    /** Steps per advance of time, see `createTime`. */
    readonly pace: number
    readonly instances: ReadonlyArray<readonly Fate[]>
    /** Callers with an expired credential. Each calls in sequence, with the credential that is stored by then. */
    readonly callers: ReadonlyArray<{ readonly instance: number; readonly atMs: number; readonly calls: number }>
    readonly user: ReadonlyArray<{ readonly does: 'disconnect' | 'log out' | 'sign in' | 'revoke'; readonly atMs: number }>
    /** When a 429 is written into the record. */
    readonly notesAtMs: readonly number[]
  }

/** One call of `renew`. Its outcome is a connection, an error, or `undefined` while pending. */
export type Call = { readonly by: Process; readonly failed: Connection; readonly atMs: number; outcome?: unknown; outcomeAtMs?: number }

export type History = {
  readonly provider: FakeProvider
  readonly store: FakeStore
  readonly calls: readonly Call[]
  /** The record after each write; `undefined` when it was deleted. */
  readonly records: ReadonlyArray<Connection | undefined>
  /** Connections handed over for revocation or reported as lost. */
  readonly surrendered: readonly Connection[]
  /** For each acknowledged disconnect and logout: how many families and writes there had been. */
  readonly acknowledgedEnds: ReadonlyArray<{ readonly families: number; readonly writes: number }>
  /** What was still pending at the end. */
  readonly unfinished: readonly string[]
}

const owner = 'owner'
const name = 'acme'
const key = randomBytes(32)

/** Runs instances of the real core on one store, provider and clock, in the scheduler's order, until nothing is pending. */
export async function runWorld(scheduler: Scheduler, plan: Plan): Promise<History> {
  const time = createTime(scheduler, plan.pace)
  const { cipher, open } = transparentCipher()
  const records: Array<Connection | undefined> = []
  const store = createFakeStore(time, plan, fields => records.push(open(fields.get(`connection:${name}`))))
  const provider = createFakeProvider(time, plan, () => records.length)
  const calls: Call[] = []
  const surrendered: Connection[] = []
  const acknowledgedEnds: Array<{ families: number; writes: number }> = []

  function processOf(label: string, fates: readonly Fate[] = []) {
    const process = createProcess(label, time, fates)
    const view = store.forProcess(process)
    return { process, view, vault: createVault({ store: view, cipher, limits, connectionIdleMs, clock: time }) }
  }

  function instanceOf(fates: readonly Fate[], i: number) {
    const { process, view, vault } = processOf(`instance ${i}`, fates)
    let lastGrant: Grant | undefined
    const events = createEvents()
    events.subscribe('renewal.lost', () => {
      if (lastGrant) surrendered.push(connectionFromGrant(lastGrant, name, [], time.now()))
    })
    const endpointOf = (): TokenEndpoint => {
      const endpoint = provider.endpointOf(process)
      return {
        ...endpoint,
        refresh: async token => {
          lastGrant = await endpoint.refresh(token)
          return lastGrant
        }
      }
    }
    const { renew } = createRenewal({
      vault,
      lease: view,
      store: view,
      changes: view.changes,
      events,
      revocation: { revoke: async connection => void surrendered.push(connection), revokeReplaced: () => {} },
      clock: time,
      endpointOf,
      pause: (ms, signal) => process.receive(time.sleep(ms, signal)),
      timeout: (ms, work, fault = () => new Error('late')) => {
        const done = new AbortController()
        const late = process.receive(time.sleep(ms, done.signal)).then(() => Promise.reject(fault()))
        late.catch(() => {}) // The race was already decided.
        return Promise.race([work, late]).finally(() => done.abort())
      }
    })
    return { process, vault, renew }
  }

  const instances = plan.instances.map(instanceOf)
  const { vault } = processOf('user')

  async function runCaller({ instance, atMs, calls: count }: Plan['callers'][number], first: Connection): Promise<void> {
    const { process, vault, renew } = instances[instance] as ReturnType<typeof instanceOf>
    await process.receive(time.sleep(atMs))
    let failed = first
    for (let i = 0; i < count; i++) {
      const one: Call = { by: process, failed, atMs: time.now() }
      calls.push(one)
      one.outcome = await renew(keyOf(owner), failed).then(
        ({ value }) => value,
        error => error
      )
      one.outcomeAtMs = time.now()
      const retryAfter = one.outcome instanceof GatewayError ? (one.outcome.retryAfter ?? 0) : 0
      await process.receive(time.sleep(retryAfter * second))
      failed = (await vault.readConnection(keyOf(owner, name)).catch(() => undefined))?.value ?? failed
    }
  }

  async function signIn(session?: Session): Promise<Session | undefined> {
    const next = await vault.connect(owner, session, connectionFromGrant(provider.signIn(), name, [], time.now()))
    return next.kind === 'session' ? next.session : session
  }

  async function actAsUser(first?: Session): Promise<void> {
    let session = first
    for (const { does, atMs } of plan.user) {
      await time.sleep(atMs)
      const families = provider.families.length
      try {
        if (does === 'sign in') session = await signIn(session)
        if (does === 'disconnect') await vault.disconnect(owner, name)
        if (does === 'log out') {
          await vault.deleteOwner(owner)
          session = undefined
        }
      } catch {
        continue // Not acknowledged: the invariants promise nothing.
      }
      if (does === 'disconnect' || does === 'log out') acknowledgedEnds.push({ families, writes: records.length })
      if (does !== 'sign in') provider.revokeAll()
    }
  }

  async function writeRateLimit(atMs: number): Promise<void> {
    await time.sleep(atMs)
    await recordRateLimit(vault, keyOf(owner, name), time.now() + minute).catch(() => {})
  }

  // Time starts after the first sign-in.
  const session = await runScheduled(scheduler, signIn())
  const first = records.at(-1) as Connection
  void actAsUser(session)
  for (const atMs of plan.notesAtMs) void writeRateLimit(atMs)
  for (const caller of plan.callers) void runCaller(caller, first)
  const unfinished = await runScheduled(scheduler, time.advance(10 * minute))
  return { provider, store, calls, records, surrendered, acknowledgedEnds, unfinished }
}

/**
 * The scheduler's own `waitFor` awaits 50 promises before each step, so that everything that can continue has continued. A turn of the
 * event loop does the same at a tenth of the cost, since tap tracks every promise.
 */
async function runScheduled<T>(scheduler: Scheduler, work: Promise<T>): Promise<T> {
  let isSettled = false
  const settle = () => {
    isSettled = true
  }
  work.then(settle, settle)
  while (!isSettled) {
    await nextTurn()
    if (scheduler.count() > 0) await scheduler.waitOne()
  }
  return work
}

/** The real cipher, with access to the plaintext of everything that it has sealed. */
function transparentCipher() {
  const cipher = createCipher([key])
  const plaintexts = new WeakMap<Buffer, Buffer>()
  return {
    cipher: {
      ...cipher,
      seal: (plain: Buffer, context: string) => {
        const sealed = cipher.seal(plain, context)
        plaintexts.set(sealed, plain)
        return sealed
      }
    },
    open: (record: Buffer | undefined) => {
      const plain = record && plaintexts.get(record)
      return plain && decodeConnection(plain)
    }
  }
}
