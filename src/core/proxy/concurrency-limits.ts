import { GatewayError } from '../errors.ts'
import type { Provider } from '../provider/definition.ts'

/** A quarter of the requests that can be in flight to a provider's origin at once, so that one or two sessions cannot take them all. */
const defaultMaxPerSession = 256
/** Those that are sent (src/upstream/send.ts), and as many that wait for their turn. */
const defaultMaxPerProvider = 2_048

/** Requests that may last for as long as the client likes. They are counted apart from the others, and no network can take all places. */
const longLived = {
  upload: { plural: 'uploads', maxPerSession: 32, maxPerNetwork: 192, maxPerProvider: 384 },
  eventStream: { plural: 'event streams', maxPerSession: 64, maxPerNetwork: 256, maxPerProvider: 512 }
} as const
type LongLived = keyof typeof longLived

/** The place of one request in flight. */
type Slot = {
  /**
   * Moves a request that turns out to be long-lived from the requests to its kind.
   * @param network of its client (see `clientNetwork`)
   * @throws {GatewayError} `rate_limited` at a limit of the kind; the slot stays with the requests
   */
  convertTo(kind: LongLived, network: string): void
  /** Called once. */
  release(): void
}

/** Limits requests in flight, by provider and session, in this process. */
export type ConcurrencyLimits = {
  /** @throws {GatewayError} `rate_limited` at a limit of the provider's definition */
  acquire(owner: string, provider: Provider): Slot
}

/** Counts in all, and by owner and network. */
class Counter {
  total = 0
  readonly #byKey = new Map<string, number>()

  of(key: string): number {
    return this.#byKey.get(key) ?? 0
  }

  add(owner: string, network?: string): void {
    this.total++
    this.#change(owner, 1)
    if (network !== undefined) this.#change(network, 1)
  }

  remove(owner: string, network?: string): void {
    this.total--
    this.#change(owner, -1)
    if (network !== undefined) this.#change(network, -1)
  }

  #change(key: string, by: number): void {
    const count = this.of(key) + by
    if (count > 0) this.#byKey.set(key, count)
    else this.#byKey.delete(key)
  }
}

type Counters = { readonly requests: Counter } & { readonly [kind in LongLived]: Counter }

export function createConcurrencyLimits(): ConcurrencyLimits {
  const countersByProvider = new Map<string, Counters>()

  function countersOf(provider: string): Counters {
    let counters = countersByProvider.get(provider)
    if (!counters) {
      counters = { requests: new Counter(), upload: new Counter(), eventStream: new Counter() }
      countersByProvider.set(provider, counters)
    }
    return counters
  }

  return { acquire: (owner, provider) => new RequestSlot(owner, provider, countersOf(provider.name)) }
}

class RequestSlot implements Slot {
  readonly #owner: string
  readonly #provider: Provider
  readonly #counters: Counters
  #kind: LongLived | undefined
  #network = ''

  constructor(owner: string, provider: Provider, counters: Counters) {
    const { maxConcurrentRequestsPerSession = defaultMaxPerSession, maxConcurrentRequests = defaultMaxPerProvider } = provider.api
    if (counters.requests.of(owner) >= maxConcurrentRequestsPerSession)
      throw sessionLimited(provider, maxConcurrentRequestsPerSession, 'requests')
    if (counters.requests.total >= maxConcurrentRequests) throw limited(provider, 'requests')
    counters.requests.add(owner)
    this.#owner = owner
    this.#provider = provider
    this.#counters = counters
  }

  convertTo(kind: LongLived, network: string): void {
    if (kind === this.#kind) return
    const { plural, maxPerSession, maxPerNetwork, maxPerProvider } = longLived[kind]
    const max = Math.min(maxPerSession, this.#provider.api.maxConcurrentRequestsPerSession ?? maxPerSession)
    const counter = this.#counters[kind]
    if (counter.of(this.#owner) >= max) throw sessionLimited(this.#provider, max, plural)
    if (counter.of(network) >= maxPerNetwork || counter.total >= maxPerProvider) throw limited(this.#provider, plural)
    this.release()
    counter.add(this.#owner, network)
    this.#kind = kind
    this.#network = network
  }

  release(): void {
    if (this.#kind) this.#counters[this.#kind].remove(this.#owner, this.#network)
    else this.#counters.requests.remove(this.#owner)
  }
}

const sessionLimited = (provider: Provider, max: number, plural: string) =>
  rateLimited(provider, `This session has ${max} ${plural} to ${provider.title} in flight, which is the limit. Wait for one to end.`)

const limited = (provider: Provider, plural: string) =>
  rateLimited(provider, `Too many ${plural} to ${provider.title} are in flight. Try again in a moment.`)

const rateLimited = ({ name }: Provider, detail: string) => new GatewayError('rate_limited', detail, { provider: name, retryAfter: 1 })
