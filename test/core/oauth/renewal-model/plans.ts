import fc, { type Arbitrary } from 'fast-check'
import { hour } from '../../support.ts'
import type { Fate } from './process.ts'
import type { Plan } from './world.ts'

/** An arbitrary for each part of a plan. */
export type Plans = { readonly [K in keyof Plan]: Arbitrary<Plan[K]> }

const list = <T>(of: Arbitrary<T>, maxLength: number, minLength = 0) => fc.array(of, { minLength, maxLength })
const ms = (max: number) => fc.integer({ min: 0, max })
const fate = (kind: Fate['kind'], lastStep: number) =>
  list(fc.record({ kind: fc.constant(kind), atStep: fc.integer({ min: 1, max: lastStep }) }), 1)

/** The last values exceed the time for which callers wait. */
const tookMs = fc.constantFrom(0, 0, 0, 500, 500, 5_000, 9_000, 30_000, 60_000)

/** No failures. */
export const noFaults: Plans = {
  pace: fc.integer({ min: 1, max: 4 }),
  instances: fc.constant([[], [], []]),
  callers: list(fc.record({ instance: fc.nat({ max: 2 }), atMs: ms(2_000), calls: fc.integer({ min: 1, max: 3 }) }), 6, 1),
  user: fc.constant([]),
  notesAtMs: fc.constant([]),
  faults: fc.constant([]),
  outage: fc.constant(undefined),
  notifies: fc.boolean(),
  detectsDeath: fc.boolean(),
  graceMs: fc.constant(0),
  tokenCalls: list(fc.record({ tookMs, fault: fc.constant(undefined) }), 4)
}

/** Everyday failures. Outages are shorter than a lease: an instance that cannot reach the store for longer may lose its lease. */
export const transientFaults: Plans = {
  ...noFaults,
  user: list(fc.record({ does: fc.constantFrom('disconnect', 'log out', 'sign in', 'revoke'), atMs: ms(3_000) }), 2),
  faults: list(fc.record({ call: fc.integer({ min: 3, max: 100 }), kind: fc.constantFrom('not applied', 'not acknowledged') }), 4),
  outage: fc.option(fc.record({ fromMs: fc.integer({ min: 1, max: 4_000 }), forMs: ms(8_000) }), { nil: undefined, freq: 1 }),
  tokenCalls: list(fc.record({ tookMs, fault: fc.constantFrom(undefined, 'failed') }), 4)
}

/** A 429 of the provider is recorded during the renewal. */
export const rateLimitNotes: Plans = { ...transientFaults, notesAtMs: list(ms(3_000), 4) }

/** The store is down for most of a slow token request, and more callers arrive when it is back. */
export const storeOutage: Plans = {
  ...noFaults,
  callers: list(fc.record({ instance: fc.nat({ max: 2 }), atMs: fc.oneof(ms(2_000), ms(60_000)), calls: fc.constant(1) }), 6, 2),
  outage: fc.record({ fromMs: fc.integer({ min: 1, max: 5_000 }), forMs: fc.integer({ min: 10_000, max: 55_000 }) }),
  tokenCalls: fc.constant([{ tookMs: 60_000, fault: undefined }])
}

/** Instances crash, and token responses are lost. */
export const crashes: Plans = {
  ...transientFaults,
  instances: fc.tuple(fc.constant([]), fate('dies', 30), fate('dies', 30)),
  tokenCalls: list(fc.record({ tookMs, fault: fc.constantFrom(undefined, 'failed', 'lost', 'garbled') }), 4)
}

/** The same with a provider that accepts a rotated refresh token for a while. */
export const crashesWithGrace: Plans = { ...crashes, graceMs: fc.constant(hour) }

/** Instances freeze, as a stopped process or a suspended machine does. */
export const freezes: Plans = {
  ...noFaults,
  user: transientFaults.user,
  instances: fc.tuple(fate('freezes', 6), fate('freezes', 6), fate('freezes', 6))
}
