import { inspect } from 'node:util'

const redacted = '[redacted]'

/**
 * A value that is never printed: template strings, `JSON.stringify`, loggers and `util.inspect` show `[redacted]`. Only `reveal()` returns
 * it, so a search for that name finds every use of a secret.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  equals(other: Secret | undefined): boolean {
    return other !== undefined && other.#value === this.#value
  }

  toString(): string {
    return redacted
  }

  toJSON(): string {
    return redacted
  }

  [inspect.custom](): string {
    return redacted
  }
}
