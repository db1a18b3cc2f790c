import type { HeldLease, Store } from '../../../../src/core/ports.ts'
import { storeUnavailable } from '../../../../src/stores/errors.ts'
import type { Process } from './process.ts'
import type { Time } from './time.ts'

export type StorePlan = {
  /** Calls, counted from 1, that are rejected: before they take effect, or after. */
  readonly faults: ReadonlyArray<{ readonly call: number; readonly kind: 'not applied' | 'not acknowledged' }>
  /** Every call in this interval is rejected and has no effect. */
  readonly outage: { readonly fromMs: number; readonly forMs: number } | undefined
  /** Whether the change feed reports changes. */
  readonly notifies: boolean
  /** Whether the store can tell that a process has died. */
  readonly detectsDeath: boolean
}

export type FakeStore = {
  /** The store as one process sees it. */
  forProcess(process: Process): Store
  /** The processes that hold an unexpired lease and know it. */
  holders(): Process[]
  /** Whether any call was rejected. */
  hasFailed(): boolean
}

/** `isAbandoned`: the holder does not know that it has the lease, and so never extends or releases it. */
type LeaseRecord = { readonly holder: Process; endsAtMs: number; extendedAtMs: number; isAbandoned: boolean }

/** After this time without an extend, the store checks whether the holder is alive. */
const silenceMs = 750

/** An in-memory store. A call takes effect at one step and returns at a later one, so its sender may die in between. */
export function createFakeStore(time: Time, plan: StorePlan, onChange: (records: ReadonlyMap<string, Buffer>) => void): FakeStore {
  const owners = new Map<string, Map<string, Buffer>>()
  const notes = new Map<string, Buffer>()
  const leases = new Map<string, LeaseRecord>()
  const waiters = new Set<{ owner: string; wake: () => void }>()
  const startMs = time.now()
  let calls = 0
  let failed = false

  function notifyWaiters(owner: string): void {
    if (plan.notifies) for (const one of waiters) if (one.owner === owner) void time.step('change feed').then(one.wake)
  }

  function isDown(): boolean {
    const sinceMs = plan.outage ? time.now() - startMs - plan.outage.fromMs : -1
    return sinceMs >= 0 && sinceMs < (plan.outage?.forMs ?? 0)
  }

  function forProcess(process: Process): Store {
    /** @param whenLost runs when the sender will not learn the result */
    async function call<T>(what: string, work: () => T, whenLost = () => {}): Promise<T> {
      const number = ++calls
      const fault = plan.faults.find(({ call }) => call === number)?.kind
      await time.step(`${process.name} ${what}`)
      const isApplied = fault !== 'not applied' && !isDown()
      const result = isApplied ? work() : undefined
      const isLost = !isApplied || fault !== undefined
      if (isLost) {
        failed = true
        whenLost()
      }
      await process.receive(time.step(`${process.name} ${what} ${isLost ? 'rejected' : 'resolved'}`))
      if (isLost) throw storeUnavailable(new Error(fault ?? 'outage'))
      return result as T
    }

    function createLease(key: string, owner: string, own: LeaseRecord): HeldLease {
      const isHeld = () => leases.get(key) === own && own.endsAtMs > time.now()
      const abandon = () => {
        own.isAbandoned = true
      }
      return {
        extend: ttlMs =>
          call('extends', () => {
            if (!isHeld()) return false
            own.endsAtMs = time.now() + ttlMs
            own.extendedAtMs = time.now()
            return true
          }),
        release: () =>
          call(
            'releases',
            () => {
              if (leases.get(key) !== own) return
              leases.delete(key)
              notifyWaiters(owner)
            },
            abandon
          )
      }
    }

    const recordsOf = (owner: string) => owners.get(owner) ?? new Map<string, Buffer>()

    return {
      description: 'in memory',
      changes: {
        isReliable: () => false,
        subscribe: () => {},
        waitForChange: (owner, withinMs) => {
          const { promise, resolve } = Promise.withResolvers<void>()
          const one = { owner, wake: resolve }
          waiters.add(one)
          void time.sleep(withinMs).then(resolve)
          return process.receive(promise.then(() => void waiters.delete(one)))
        }
      },

      read: (owner, fields) => call('reads', () => fields.map(field => recordsOf(owner).get(field))),
      readAll: owner => call('reads all', () => new Map(recordsOf(owner))),

      commit: (owner, { expectNone, expect = [], put = [], remove = [], ttlMs }) =>
        call('commits', () => {
          const records = recordsOf(owner)
          if (records.size === 0 && ttlMs === undefined) return false
          if (records.size > 0 && expectNone) return false
          if (!expect.every(([field, prefix]) => hasPrefix(records.get(field), prefix))) return false
          for (const [field, record] of put) records.set(field, record)
          for (const field of remove) records.delete(field)
          owners.set(owner, records)
          onChange(records)
          notifyWaiters(owner)
          return true
        }),

      deleteOwner: owner =>
        call('deletes', () => {
          owners.delete(owner)
          onChange(new Map())
          notifyWaiters(owner)
        }),

      confirmReplicated: async () => {},

      scanOwners: async function* () {
        yield [...owners.keys()]
      },

      acquire: (owner, name, ttlMs, waitedMs = 0) => {
        const key = `${owner} ${name}`
        const own: LeaseRecord = { holder: process, endsAtMs: 0, extendedAtMs: 0, isAbandoned: false }
        return call(
          'acquires',
          () => {
            const other = leases.get(key)
            if (other && other.endsAtMs > time.now() && !isPresumedDead(other, waitedMs)) return undefined
            leases.set(key, Object.assign(own, { endsAtMs: time.now() + ttlMs, spokeAtMs: time.now() }))
            return createLease(key, owner, own)
          },
          () => {
            own.isAbandoned = true
          }
        )
      },

      claim: () => Promise.reject(new Error('a renewal claims nothing')),
      setValue: (key, bytes) => call('writes a value', () => void notes.set(key, bytes)),
      getValue: key => call('reads a value', () => notes.get(key)),
      increment: () => Promise.reject(new Error('a renewal counts nothing')),
      ping: async () => {},
      close: async () => {}
    }
  }

  const isPresumedDead = ({ holder, extendedAtMs }: LeaseRecord, waitedMs: number) =>
    plan.detectsDeath && holder.isDead() && waitedMs >= silenceMs && time.now() - extendedAtMs >= silenceMs

  return {
    forProcess,
    holders: () =>
      [...leases.values()].filter(({ endsAtMs, isAbandoned }) => endsAtMs > time.now() && !isAbandoned).map(({ holder }) => holder),
    hasFailed: () => failed
  }
}

const hasPrefix = (record: Buffer | undefined, prefix: Buffer | undefined): boolean =>
  prefix === undefined ? record === undefined : record?.subarray(0, prefix.length).equals(prefix) === true
