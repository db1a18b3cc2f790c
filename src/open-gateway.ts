import type { Config } from './config/config.ts'
import type { Clock, Store } from './core/ports.ts'
import { buildGateway, type Gateway, type GatewayDependencies } from './gateway.ts'
import { openStore } from './stores/open-store.ts'
import type { RedisClient } from './stores/redis/target.ts'
import { createLookup } from './upstream/lookup.ts'
import { openUpstream, type Upstream } from './upstream/send.ts'

export type OpenGatewayOptions = Omit<GatewayDependencies, 'store' | 'clock' | 'send' | 'lookupFor'> & {
  /** An application's, instead of the configured one. */
  readonly redisClient?: RedisClient | undefined
  readonly clock?: Clock
  /** An open one, instead of the configured one. The gateway closes it. */
  readonly store?: Store
}

export type OpenGateway = Gateway & {
  readonly store: Store
  /** Closed by the caller, after `app`. */
  readonly upstream: Upstream
}

/** The gateway with its store and its connections to providers: for a server of its own, or in an application. */
export async function openGateway(config: Config, options: OpenGatewayOptions): Promise<OpenGateway> {
  const { redisClient, clock = { now: Date.now }, ...dependencies } = options
  const store = options.store ?? (await openStore({ redis: redisClient ?? config.redis, dataDir: config.dataDir, clock }))
  const lookupFor = createLookup(config)
  const upstream = openUpstream(lookupFor)
  try {
    const gateway = await buildGateway(config, { ...dependencies, store, clock, send: upstream.send, lookupFor })
    return { ...gateway, store, upstream }
  } catch (error) {
    // An open connection would keep the process of a failed start alive.
    await Promise.allSettled([store.close(), upstream.close()])
    throw error
  }
}
