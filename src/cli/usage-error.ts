/** Arguments that a command does not understand. */
export class UsageError extends Error {
  override readonly name = 'UsageError'

  /** @param problem what is wrong and what to give instead, in whole sentences */
  constructor(problem: string) {
    super(problem)
  }
}
