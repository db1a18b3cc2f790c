import { isDeepStrictEqual } from 'node:util'

/** A definition does not do what it says. The message is for its author. */
export class ContractProblem extends Error {
  override readonly name = 'ContractProblem'
}

/** @throws {ContractProblem} which names both values */
export function expectSame(actual: unknown, expected: unknown, what: string): void {
  if (!isDeepStrictEqual(actual, expected)) throw new ContractProblem(`${what}: ${shown(actual)} instead of ${shown(expected)}`)
}

/** @throws {ContractProblem} with the reason */
export function expectThat(condition: unknown, problem: string): asserts condition {
  if (!condition) throw new ContractProblem(problem)
}

const shown = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value))
