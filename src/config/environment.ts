import { readFileSync } from 'node:fs'

/** Longer values are truncated in problems. */
const maxQuotedCharacters = 300

export type Environment = Readonly<Record<string, string | undefined>>

/** All problems of the environment at once. Each names its variable and shows a valid value. */
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

/** Reads variables and collects their problems, so that an operator can fix all of them at once. */
export class EnvironmentReader {
  readonly problems: string[] = []
  /** Settings that are valid but probably mistakes. */
  readonly warnings: string[] = []
  readonly #env: Environment
  /** Every variable that was read, with an example value. */
  readonly #examples = new Map<string, string | undefined>()

  constructor(env: Environment) {
    this.#env = env
  }

  /**
   * The variable, or the content of the file that NAME_FILE names (container secrets), trimmed of white space and byte order mark. Empty
   * counts as unset.
   * @param example a valid value, for problems
   */
  text(name: string, example?: string): string | undefined {
    if (this.#examples.get(name) === undefined) this.#examples.set(name, example)
    const value = this.#env[name]?.trim() || undefined
    const file = this.#env[`${name}_FILE`] || undefined
    if (value !== undefined && file !== undefined) {
      this.addProblem(`${name} and ${name}_FILE are both set. Keep one of them.`)
      return value
    }
    const text = file === undefined ? value : this.#readFile(name, file)
    if (text === undefined || !/^(["']).*\1$/s.test(text) || text.length < 2) return text
    this.addProblem(
      `${name} is in quotes, and they are part of its value: not every program that reads env files strips them. Remove them, for example ${this.exampleOf(name)}.`
    )
    return text.slice(1, -1).trim() || undefined
  }

  /** The variable as it is, without NAME_FILE: for a variable that libraries in this process read as well, such as NODE_ENV. */
  exact(name: string, example: string): string | undefined {
    this.#examples.set(name, example)
    if (this.#env[`${name}_FILE`])
      this.addProblem(`${name}_FILE: ${name} is not read from a file. Set the variable itself, for example ${name}=${example}.`)
    return this.#env[name] || undefined
  }

  /** Comma-separated, white space around items ignored. `undefined` when unset or without items. */
  list(name: string, example?: string): string[] | undefined {
    const items = this.text(name, example)
      ?.split(',')
      .map(item => item.trim())
      .filter(item => item !== '')
    return items?.length ? items : undefined
  }

  /** Quotes a value, or an item of it, in a problem. The content of a file is not repeated: it may be a secret that was put there by mistake. */
  quote(name: string, text: string): string {
    if (this.#env[`${name}_FILE`]) return 'the content of the file'
    return JSON.stringify(text.length > maxQuotedCharacters ? `${text.slice(0, maxQuotedCharacters)}…` : text)
  }

  integer(name: string, bounds: { min: number; max: number; example: number }): number | undefined {
    const text = this.text(name, String(bounds.example))
    if (text === undefined) return undefined
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (value >= bounds.min && value <= bounds.max) return value
    this.addProblem(`${name} must be a whole number from ${bounds.min} to ${bounds.max}, for example ${name}=${bounds.example}.`)
    return undefined
  }

  /** @param example one of the choices */
  oneOf<T extends string>(name: string, choices: readonly T[], example: T): T | undefined {
    const text = this.text(name, example)
    if (text === undefined) return undefined
    const choice = choices.find(c => c === text)
    if (choice === undefined) {
      const expected = choices.length === 1 ? choices[0] : `one of ${choices.join(', ')}`
      this.addProblem(`${name} must be ${expected}, for example ${name}=${example}.`)
    }
    return choice
  }

  /** The names of all variables that have been read. */
  knownNames(): ReadonlySet<string> {
    return new Set(this.#examples.keys())
  }

  /** The names of all variables that are set, including those of other programs. */
  presentNames(): string[] {
    return Object.keys(this.#env).filter(name => this.#env[name])
  }

  /** `NAME=value` with a valid value. */
  exampleOf(name: string): string {
    const value = this.#examples.get(name)
    return value === undefined ? exampleOfFile(name) : `${name}=${value}`
  }

  /** Adds a problem once, however often the variable is read. */
  addProblem(text: string): void {
    if (!this.problems.includes(text)) this.problems.push(text)
  }

  /** Adds a warning once. */
  addWarning(text: string): void {
    if (!this.warnings.includes(text)) this.warnings.push(text)
  }

  #readFile(name: string, file: string): string | undefined {
    try {
      return readFileSync(file, 'utf8').trim() || undefined
    } catch (error) {
      // The path is not repeated: it may be the secret itself, set in place of its path.
      const { code } = error as NodeJS.ErrnoException
      this.addProblem(`${name}_FILE names a file that cannot be read (${code}). Give a path, for example ${exampleOfFile(name)}.`)
      return undefined
    }
  }
}

export const exampleOfFile = (name: string): string => `${name}_FILE=/run/secrets/${name.toLowerCase()}`
