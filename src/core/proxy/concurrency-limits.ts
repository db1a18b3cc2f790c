import { GatewayError } from '../errors.ts'
import type { Provider } from '../provider/provider.ts'

/** A quarter of what a provider's connections can carry at once: no session, and no two, have them to themselves. */
const usualPerSession = 256
/** Those that are being sent, and some that wait for a connection. */
const usualOfAll = 2_048

/** What may last for as long as its client likes: each kind has places apart from those of calls, and no network has all of them. */
const lasting = {
  upload: { plural: 'uploads', ofSession: 32, ofNetwork: 192, ofAll: 384 },
  eventStream: { plural: 'event streams', ofSession: 64, ofNetwork: 256, ofAll: 512 }
} as const
type Lasting = keyof typeof lasting

/** One call's, until it leaves. */
type Place = {
  /**
   * The call turns out to last: it gives up its place among the calls for one of its kind.
   * @param network of its client (see `networkOf`)
   * @throws {GatewayError} `rate_limited` when there is none; it keeps its place until it leaves
   */
  become(kind: Lasting, network: string): void
  /** To be called once. */
  leave(): void
}

/** Calls under way, counted by provider and session in this process. */
export type CallLimits = {
  /**
   * Counts a call that begins.
   * @throws {GatewayError} `rate_limited` when there are as many as the definition allows
   */
  enter(owner: string, provider: Provider): Place
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

type Counts = { readonly calls: Count } & { readonly [kind in Lasting]: Count }

export function createCallLimits(): CallLimits {
  const underWay = new Map<string, Counts>()

  function countsOf(provider: string): Counts {
    let counts = underWay.get(provider)
    if (!counts) {
      counts = { calls: new Count(), upload: new Count(), eventStream: new Count() }
      underWay.set(provider, counts)
    }
    return counts
  }

  return { enter: (owner, provider) => new OnePlace(owner, provider, countsOf(provider.name)) }
}

class OnePlace implements Place {
  readonly #owner: string
  readonly #provider: Provider
  readonly #counts: Counts
  #kind: Lasting | undefined
  #network = ''

  constructor(owner: string, provider: Provider, counts: Counts) {
    const { maxCallsPerSession: ofSession = usualPerSession, maxCalls: ofAll = usualOfAll } = provider.api
    if (counts.calls.of(owner) >= ofSession) throw tooManyOfSession(provider, ofSession, 'calls')
    if (counts.calls.all >= ofAll) throw tooMany(provider, 'calls')
    counts.calls.add(owner)
    this.#owner = owner
    this.#provider = provider
    this.#counts = counts
  }

  become(kind: Lasting, network: string): void {
    if (kind === this.#kind) return
    const { plural, ofSession, ofNetwork, ofAll } = lasting[kind]
    const most = Math.min(ofSession, this.#provider.api.maxCallsPerSession ?? ofSession)
    const count = this.#counts[kind]
    if (count.of(this.#owner) >= most) throw tooManyOfSession(this.#provider, most, plural)
    if (count.of(network) >= ofNetwork || count.all >= ofAll) throw tooMany(this.#provider, plural)
    this.leave()
    count.add(this.#owner, network)
    this.#kind = kind
    this.#network = network
  }

  leave(): void {
    if (this.#kind) this.#counts[this.#kind].remove(this.#owner, this.#network)
    else this.#counts.calls.remove(this.#owner)
  }
}

const tooManyOfSession = (provider: Provider, most: number, what: string) =>
  refused(provider, `This session has ${most} ${what} to ${provider.title} under way, as many as it may. Wait for some to end.`)

const tooMany = (provider: Provider, what: string) =>
  refused(provider, `Too many ${what} to ${provider.title} are under way. Try again in a moment.`)

const refused = ({ name }: Provider, detail: string) => new GatewayError('rate_limited', detail, { provider: name, retryAfter: 1 })
