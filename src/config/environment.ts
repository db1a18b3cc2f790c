import { readFileSync } from 'node:fs'

/** Of a value that is shown; what is longer is no slip of the pen. */
const maxQuoted = 300

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
  /** What may be meant so, and is likely not. */
  readonly warnings: string[] = []
  readonly #env: Environment
  /** Each variable that was asked for, with a good value of it. */
  readonly #known = new Map<string, string | undefined>()

  constructor(env: Environment) {
    this.#env = env
  }

  /**
   * The variable, or the content of the file that NAME_FILE names (container secrets), without the blanks, line breaks and byte order
   * mark around it. Empty counts as unset.
   * @param example a good value, for whoever misspelt the name
   */
  text(name: string, example?: string): string | undefined {
    if (this.#known.get(name) === undefined) this.#known.set(name, example)
    const value = this.#env[name]?.trim() || undefined
    const file = this.#env[`${name}_FILE`] || undefined
    if (value !== undefined && file !== undefined) {
      this.problem(`${name} and ${name}_FILE are both set. Keep one of them.`)
      return value
    }
    const text = file === undefined ? value : this.#content(name, file)
    if (text === undefined || !/^(["']).*\1$/s.test(text) || text.length < 2) return text
    this.problem(
      `${name} stands in quotes, and they are part of it: not everything that reads an env file takes them off. Leave them out, for example ${this.exampleOf(name)}.`
    )
    return text.slice(1, -1).trim() || undefined
  }

  /** The variable as it is, of which there is no NAME_FILE: what is decided by it must be the same for every library in the process. */
  exact(name: string, example: string): string | undefined {
    this.#known.set(name, example)
    if (this.#env[`${name}_FILE`])
      this.problem(`${name}_FILE: ${name} is not read from a file. Set the variable itself, for example ${name}=${example}.`)
    return this.#env[name] || undefined
  }

  /** Comma-separated, blanks around the parts ignored. `undefined` when unset, or when no part is left. */
  list(name: string, example?: string): string[] | undefined {
    const parts = this.text(name, example)
      ?.split(',')
      .map(part => part.trim())
      .filter(part => part !== '')
    return parts?.length ? parts : undefined
  }

  /** A part of the variable's value, for a problem. What stands in a file may be a secret that belongs elsewhere. */
  quoted(name: string, part: string): string {
    if (this.#env[`${name}_FILE`]) return 'what stands in the file'
    return JSON.stringify(part.length > maxQuoted ? `${part.slice(0, maxQuoted)}…` : part)
  }

  integer(name: string, bounds: { min: number; max: number; example: number }): number | undefined {
    const text = this.text(name, String(bounds.example))
    if (text === undefined) return undefined
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (value >= bounds.min && value <= bounds.max) return value
    this.problem(`${name} must be a whole number from ${bounds.min} to ${bounds.max}, for example ${name}=${bounds.example}.`)
    return undefined
  }

  /** @param example one of the choices */
  oneOf<T extends string>(name: string, choices: readonly T[], example: T): T | undefined {
    const text = this.text(name, example)
    if (text === undefined) return undefined
    const choice = choices.find(c => c === text)
    if (choice === undefined) {
      const those = choices.length === 1 ? choices[0] : `one of ${choices.join(', ')}`
      this.problem(`${name} must be ${those}, for example ${name}=${example}.`)
    }
    return choice
  }

  /** The names of all variables that were asked for. */
  known(): ReadonlySet<string> {
    return new Set(this.#known.keys())
  }

  /** Variables that are set, whoever's they are. */
  names(): string[] {
    return Object.keys(this.#env).filter(name => this.#env[name])
  }

  /** `NAME=value`, a good one. */
  exampleOf(name: string): string {
    const value = this.#known.get(name)
    return value === undefined ? exampleOfFile(name) : `${name}=${value}`
  }

  /** Noted once, however often the variable is read. */
  problem(text: string): void {
    if (!this.problems.includes(text)) this.problems.push(text)
  }

  /** Noted once as well. */
  warning(text: string): void {
    if (!this.warnings.includes(text)) this.warnings.push(text)
  }

  #content(name: string, file: string): string | undefined {
    try {
      return readFileSync(file, 'utf8').trim() || undefined
    } catch (error) {
      // The name is not repeated: it may be the secret itself, given where its path belongs.
      const { code } = error as NodeJS.ErrnoException
      this.problem(`${name}_FILE names a file that cannot be read (${code}). Give a path, for example ${exampleOfFile(name)}.`)
      return undefined
    }
  }
}

export const exampleOfFile = (name: string): string => `${name}_FILE=/run/secrets/${name.toLowerCase()}`
