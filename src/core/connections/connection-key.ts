/**
 * Identifies a connection by its owner and provider. It is passed as one value, so that a second account at a provider will be one more
 * part of the key and not one more parameter everywhere. Private fields make the type nominal: a pair of strings is not assignable.
 */
export class ConnectionKey {
  readonly #owner: string
  readonly #provider: string

  constructor(owner: string, provider: string) {
    this.#owner = owner
    this.#provider = provider
  }

  get owner(): string {
    return this.#owner
  }

  get provider(): string {
    return this.#provider
  }

  /** The key as text, for maps. Owners contain no space. */
  get id(): string {
    return `${this.#owner} ${this.#provider}`
  }
}
