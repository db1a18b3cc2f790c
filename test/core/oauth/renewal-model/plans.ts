import fc, { type Arbitrary } from 'fast-check'
import { hour } from '../../support.ts'
import type { Fate } from './process.ts'
import type { Plan } from './world.ts'

/** From what kinds of runs a run is drawn. */
export type Plans = { readonly [K in keyof Plan]: Arbitrary<Plan[K]> }

const list = <T>(of: Arbitrary<T>, maxLength: number, minLength = 0) => fc.array(of, { minLength, maxLength })
const ms = (max: number) => fc.integer({ min: 0, max })
const fate = (kind: Fate['kind'], lastStep: number) =>
  list(fc.record({ kind: fc.constant(kind), atStep: fc.integer({ min: 1, max: lastStep }) }), 1)

/** Now and then longer than anybody waits for it. */
const tookMs = fc.constantFrom(0, 0, 0, 500, 500, 5_000, 9_000, 30_000, 60_000)

/** Nothing goes wrong. */
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

/** What goes wrong every day. No outage is as long as a lease: who cannot reach the store for longer may lose the lease to others. */
export const transientFaults: Plans = {
  ...noFaults,
  user: list(fc.record({ does: fc.constantFrom('disconnect', 'log out', 'sign in', 'withdraw'), atMs: ms(3_000) }), 2),
  faults: list(fc.record({ call: fc.integer({ min: 3, max: 100 }), kind: fc.constantFrom('not done', 'not answered') }), 4),
  outage: fc.option(fc.record({ fromMs: fc.integer({ min: 1, max: 4_000 }), forMs: ms(8_000) }), { nil: undefined, freq: 1 }),
  tokenCalls: list(fc.record({ tookMs, fault: fc.constantFrom(undefined, 'failed') }), 4)
}

/** The provider is busy, and says so in the midst of a renewal. */
export const rateLimitNotes: Plans = { ...transientFaults, notesAtMs: list(ms(3_000), 4) }

/** Nobody sees the store for most of a slow token call; others come when they see it again. */
export const storeOutage: Plans = {
  ...noFaults,
  callers: list(fc.record({ instance: fc.nat({ max: 2 }), atMs: fc.oneof(ms(2_000), ms(60_000)), calls: fc.constant(1) }), 6, 2),
  outage: fc.record({ fromMs: fc.integer({ min: 1, max: 5_000 }), forMs: fc.integer({ min: 10_000, max: 55_000 }) }),
  tokenCalls: fc.constant([{ tookMs: 60_000, fault: undefined }])
}

/** Instances die, and token answers are lost. */
export const crashes: Plans = {
  ...transientFaults,
  instances: fc.tuple(fc.constant([]), fate('dies', 30), fate('dies', 30)),
  tokenCalls: list(fc.record({ tookMs, fault: fc.constantFrom(undefined, 'failed', 'lost', 'garbled') }), 4)
}

/** The same in front of a provider that answers a refresh token again. */
export const crashesWithGrace: Plans = { ...crashes, graceMs: fc.constant(hour) }

/** Instances stand still, as a process does that is stopped or a machine that is suspended. */
export const freezes: Plans = {
  ...noFaults,
  user: transientFaults.user,
  instances: fc.tuple(fate('freezes', 6), fate('freezes', 6), fate('freezes', 6))
}
