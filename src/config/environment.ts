import { readFileSync } from 'node:fs'

export type Environment = Readonly<Record<string, string | undefined>>

/** Every problem of the environment at once, each naming its variable and showing a good value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map(p => `  - ${p}`).join('\n')}`
    )
    this.problems = problems
  }
}

/** Reads variables and gathers what is wrong with them, so that an operator mends them all in one go. */
export class EnvironmentReader {
  readonly problems: string[] = []
  readonly #env: Environment

  constructor(env: Environment) {
    this.#env = env
  }

  /** The variable, or the content of the file that NAME_FILE names (container secrets). Empty counts as unset. */
  text(name: string): string | undefined {
    const value = this.#env[name] || undefined
    const file = this.#env[`${name}_FILE`] || undefined
    if (value !== undefined && file !== undefined) {
      this.problem(`${name} and ${name}_FILE are both set. Keep one of them.`)
    } else if (file !== undefined) {
      return this.#content(name, file)
    }
    return value
  }

  /** Comma-separated, blanks around the parts ignored. `undefined` when unset, or when no part is left. */
  list(name: string): string[] | undefined {
    const parts = this.text(name)
      ?.split(',')
      .map(part => part.trim())
      .filter(part => part !== '')
    return parts?.length ? parts : undefined
  }

  /** A part of the variable's value, for a problem. What stands in a file may be a secret that belongs elsewhere. */
  quoted(name: string, part: string): string {
    return this.#env[`${name}_FILE`] ? 'what stands in the file' : JSON.stringify(part)
  }

  integer(name: string, bounds: { min: number; max: number; example: number }): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const value = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN
    if (value >= bounds.min && value <= bounds.max) return value
    this.problem(`${name} must be a whole number from ${bounds.min} to ${bounds.max}, for example ${name}=${bounds.example}.`)
    return undefined
  }

  oneOf<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const choice = choices.find(c => c === text)
    if (choice === undefined) this.problem(`${name} must be one of ${choices.join(', ')}.`)
    return choice
  }

  /** Noted once, however often the variable is read. */
  problem(text: string): void {
    if (!this.problems.includes(text)) this.problems.push(text)
  }

  #content(name: string, file: string): string | undefined {
    try {
      return readFileSync(file, 'utf8').trim() || undefined
    } catch (error) {
      // The name is not repeated: it may be the secret itself, given where its path belongs.
      const { code } = error as NodeJS.ErrnoException
      this.problem(
        `${name}_FILE names a file that cannot be read (${code}). Give a path, for example ${name}_FILE=/run/secrets/${name.toLowerCase()}.`
      )
      return undefined
    }
  }
}
