import { inspect } from 'node:util'

const shown = '[redacted]'

/**
 * A value that is never printed: template strings, `JSON.stringify`, loggers and `util.inspect` all show
 * `[redacted]`. Only `reveal()` gives it away, so every place that uses a secret can be found by that word.
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
    return shown
  }

  toJSON(): string {
    return shown
  }

  [inspect.custom](): string {
    return shown
  }
}
