import { GatewayError } from '../errors.ts'
import type { Provider } from '../provider/definition.ts'

/** A quarter of what a provider's connections can carry at once: no session, and no two, have them to themselves. */
const defaultPerSession = 256
/** Those that are being sent, and some that wait for a connection. */
const defaultOfAll = 2_048

/** What may last for as long as its client likes: each kind has places apart from those of calls, and no network has all of them. */
const longLived = {
  upload: { plural: 'uploads', ofSession: 32, ofNetwork: 192, ofAll: 384 },
  eventStream: { plural: 'event streams', ofSession: 64, ofNetwork: 256, ofAll: 512 }
} as const
type LongLived = keyof typeof longLived

/** One call's, until it leaves. */
type Slot = {
  /**
   * The call turns out to last: it gives up its place among the calls for one of its kind.
   * @param network of its client (see `clientNetwork`)
   * @throws {GatewayError} `rate_limited` when there is none; it keeps its place until it leaves
   */
  convertTo(kind: LongLived, network: string): void
  /** To be called once. */
  release(): void
}

/** Calls under way, counted by provider and session in this process. */
export type ConcurrencyLimits = {
  /**
   * Counts a call that begins.
   * @throws {GatewayError} `rate_limited` when there are as many as the definition allows
   */
  acquire(owner: string, provider: Provider): Slot
}

class Count {
  all = 0
  readonly #by = new Map<string, number>()

  of(key: string): number {
    return this.#by.get(key) ?? 0
  }

  add(owner: string, network?: string): void {
    this.all++
    this.#change(owner, 1)
    if (network !== undefined) this.#change(network, 1)
  }

  remove(owner: string, network?: string): void {
    this.all--
    this.#change(owner, -1)
    if (network !== undefined) this.#change(network, -1)
  }

  #change(key: string, by: number): void {
    const count = this.of(key) + by
    if (count > 0) this.#by.set(key, count)
    else this.#by.delete(key)
  }
}

type Counts = { readonly calls: Count } & { readonly [kind in LongLived]: Count }

export function createConcurrencyLimits(): ConcurrencyLimits {
  const underWay = new Map<string, Counts>()

  function countsOf(provider: string): Counts {
    let counts = underWay.get(provider)
    if (!counts) {
      counts = { calls: new Count(), upload: new Count(), eventStream: new Count() }
      underWay.set(provider, counts)
    }
    return counts
  }

  return { acquire: (owner, provider) => new RequestSlot(owner, provider, countsOf(provider.name)) }
}

class RequestSlot implements Slot {
  readonly #owner: string
  readonly #provider: Provider
  readonly #counts: Counts
  #kind: LongLived | undefined
  #network = ''

  constructor(owner: string, provider: Provider, counts: Counts) {
    const { maxCallsPerSession: ofSession = defaultPerSession, maxCalls: ofAll = defaultOfAll } = provider.api
    if (counts.calls.of(owner) >= ofSession) throw tooManyOfSession(provider, ofSession, 'calls')
    if (counts.calls.all >= ofAll) throw tooMany(provider, 'calls')
    counts.calls.add(owner)
    this.#owner = owner
    this.#provider = provider
    this.#counts = counts
  }

  convertTo(kind: LongLived, network: string): void {
    if (kind === this.#kind) return
    const { plural, ofSession, ofNetwork, ofAll } = longLived[kind]
    const most = Math.min(ofSession, this.#provider.api.maxCallsPerSession ?? ofSession)
    const count = this.#counts[kind]
    if (count.of(this.#owner) >= most) throw tooManyOfSession(this.#provider, most, plural)
    if (count.of(network) >= ofNetwork || count.all >= ofAll) throw tooMany(this.#provider, plural)
    this.release()
    count.add(this.#owner, network)
    this.#kind = kind
    this.#network = network
  }

  release(): void {
    if (this.#kind) this.#counts[this.#kind].remove(this.#owner, this.#network)
    else this.#counts.calls.remove(this.#owner)
  }
}

const tooManyOfSession = (provider: Provider, most: number, what: string) =>
  refused(provider, `This session has ${most} ${what} to ${provider.title} under way, as many as it may. Wait for some to end.`)

const tooMany = (provider: Provider, what: string) =>
  refused(provider, `Too many ${what} to ${provider.title} are under way. Try again in a moment.`)

const refused = ({ name }: Provider, detail: string) => new GatewayError('rate_limited', detail, { provider: name, retryAfter: 1 })
