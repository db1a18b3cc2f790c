import { join } from 'node:path'
import closeWithGrace from 'close-with-grace'
import { pino } from 'pino'
import { type Config, readConfig } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import { stackFrames } from '../core/errors.ts'
import type { Provider } from '../core/provider/provider.ts'
import { buildGateway } from '../gateway.ts'
import { openStore } from '../stores/open-store.ts'
import { createLookup } from '../upstream/lookup.ts'
import { openUpstream } from '../upstream/send.ts'
import { limitConnections } from './connection-limit.ts'
import { shutDownGracefully, trackConnections } from './graceful-shutdown.ts'
import { LogDestination } from './log-destination.ts'
import type { shutdownSignals } from './signals.ts'
import { startupBanner } from './startup-banner.ts'
import { countBuffersAsHeap } from './v8-flags.ts'
import { waitForStore } from './wait-for-store.ts'

/** What token calls under way, saving what they bring and closing the store may take beyond that. */
const closeMs = 17_000

const clock = { now: Date.now }

export type ServeOptions = {
  readonly variables: Environment
  readonly definitions: readonly Provider[]
  readonly configured: Config
  /** Whoever starts it sees to these, and says when to leave. */
  readonly ignoredSignals?: ReadonlyArray<(typeof shutdownSignals)[number]>
  /** Told once, when calls are taken, what somebody who has just started it wants to know. */
  readonly onReady: (message: string) => void
}

/** One gateway in this process, until it is told to end. */
export async function serve({ variables, definitions, configured, ignoredSignals, onReady }: ServeOptions): Promise<{ leave(): void }> {
  countBuffersAsHeap()
  // Nothing configured, and not in production: everything is wired to providers that live in this process.
  const sandbox = configured.providers.size === 0 ? await startSandbox(configured) : undefined
  const config = sandbox ? readConfig({ ...variables, ...sandbox.environment }, definitions, configured.port) : configured

  const store = await openStore({ redis: config.redis, dataDir: config.dataDir, clock })
  const lookupFor = createLookup(config)
  const upstream = openUpstream(lookupFor)
  const destination = new LogDestination()
  const logger = pino({ level: config.logLevel }, destination)
  const app = await buildGateway(config, { store, clock, send: upstream.send, lookupFor, logger })

  const open = trackConnections(app.server)
  const { delayMs, timeoutMs } = config.shutdown
  let isLeaving = false
  const grace = closeWithGrace(
    {
      delay: delayMs + timeoutMs + closeMs,
      logger: {
        error: (what: unknown) => (what instanceof Error ? logger.error(faultOf(what), 'the end failed') : logger.error(String(what)))
      },
      ...(ignoredSignals && { skip: [...ignoredSignals] })
    },
    async ({ err }) => {
      isLeaving = true
      if (err) logger.fatal(faultOf(err), 'Grantkeeper ends after a fault of its own')
      else await shutDownGracefully(app, open, upstream, config.shutdown)
      await app.close()
      await upstream.close()
      await sandbox?.close()
      destination.flush()
    }
  )

  limitConnections(app.server, logger)
  await waitForStore(store, logger)
  await app.listen({ host: config.host, port: config.port })
  onReady(startupBanner(config, store.description, sandbox?.apiKeys))
  return {
    leave: () => {
      // A fault may have begun it.
      if (!isLeaving) void grace.close()
    }
  }
}

/** What a log may hold of it. */
const faultOf = (error: Error) => ({ name: error.name, code: (error as NodeJS.ErrnoException).code, stack: stackFrames(error) })

async function startSandbox({ publicUrl, dataDir }: Config) {
  const { startSandbox } = await import('../sandbox/sandbox.ts')
  return startSandbox({ redirectUris: vendor => [`${publicUrl}/auth/${vendor}/callback`], grantsIn: join(dataDir, 'sandbox.json') })
}
