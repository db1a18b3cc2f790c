const redacted = '[redacted]'
/** `util.inspect.custom`, without an import: the types of definitions, which contain this one, need no types of Node.js. */
const inspectCustom: unique symbol = Symbol.for('nodejs.util.inspect.custom')

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

  [inspectCustom](): string {
    return redacted
  }
}
