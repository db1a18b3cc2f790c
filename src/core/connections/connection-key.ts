/**
 * Identifies where a connection is stored: owner, provider and slot. It is passed as one value. Private fields make the type nominal: three
 * strings are not assignable.
 *
 * The slot tells several accounts at one provider apart: empty for the first, the connection's id for each further one. It stays when the
 * account is connected again, while the id in the record says which connection it is.
 */
export class ConnectionKey {
  readonly #owner: string
  readonly #provider: string
  readonly #slot: string

  constructor(owner: string, provider: string, slot = '') {
    this.#owner = owner
    this.#provider = provider
    this.#slot = slot
  }

  get owner(): string {
    return this.#owner
  }

  get provider(): string {
    return this.#provider
  }

  get slot(): string {
    return this.#slot
  }

  /** `NAME`, or `NAME@SLOT`: unique among the owner's connections. Provider names contain no `@`. */
  get name(): string {
    return this.#slot === '' ? this.#provider : `${this.#provider}@${this.#slot}`
  }

  /** The key as text, for maps. Owners contain no space. */
  get id(): string {
    return `${this.#owner} ${this.name}`
  }
}
