import { join } from 'node:path'
import closeWithGrace from 'close-with-grace'
import { pino } from 'pino'
import { type Config, readConfig } from '../config/config.ts'
import { loadDefinitions } from '../config/definitions/load-definitions.ts'
import type { Environment } from '../config/environment.ts'
import { stackFrames } from '../core/errors.ts'
import type { Provider } from '../core/provider/definition.ts'
import { openGateway } from '../open-gateway.ts'
import { waitForStore } from '../stores/wait-for-store.ts'
import { limitConnections } from './connection-limit.ts'
import { shutDownGracefully, trackConnections } from './graceful-shutdown.ts'
import { LogDestination } from './log-destination.ts'
import type { shutdownSignals } from './signals.ts'
import { startupBanner } from './startup-banner.ts'
import { countBuffersAsHeap } from './v8-flags.ts'

/** Beyond the time for requests: for token requests in flight, for storing their results, and for closing the store. */
const closeMs = 17_000

export type ServeOptions = {
  readonly variables: Environment
  readonly configured: Config
  /** The caller handles these signals, and calls `shutDown`. */
  readonly ignoredSignals?: ReadonlyArray<(typeof shutdownSignals)[number]>
  /** Called once when the gateway listens, with the startup banner. */
  readonly onReady: (banner: string) => void
}

/** Runs one gateway in this process until a signal, an uncaught error or `shutDown`. */
export async function serve({ variables, configured, ignoredSignals, onReady }: ServeOptions): Promise<{ shutDown(): void }> {
  countBuffersAsHeap()
  // Without a configured provider, outside production, the sandbox in this process plays all of them.
  const known = configured.providers.size === 0 ? await loadDefinitions(variables, { all: true }) : undefined
  const sandbox = known && (await startSandbox(configured, known.definitions))
  const config = sandbox && known ? readConfig({ ...variables, ...sandbox.environment }, known, configured.port) : configured

  const destination = new LogDestination()
  const logger = pino({ level: config.logLevel }, destination)
  const gateway = await openGateway(config, { logger })

  const { app, store, upstream } = gateway
  const sockets = trackConnections(app.server)
  const { delayMs, timeoutMs } = config.shutdown
  let isShuttingDown = false
  const grace = closeWithGrace(
    {
      delay: delayMs + timeoutMs + closeMs,
      logger: {
        error: (error: unknown) =>
          error instanceof Error ? logger.error(loggableError(error), 'shutdown failed') : logger.error(String(error))
      },
      ...(ignoredSignals && { skip: [...ignoredSignals] })
    },
    async ({ err }) => {
      isShuttingDown = true
      if (err) logger.fatal(loggableError(err), 'uncaught error: shutting down')
      else await shutDownGracefully(gateway, sockets, upstream, config.shutdown)
      await app.close()
      await upstream.close()
      await sandbox?.close()
      destination.flush()
    }
  )

  limitConnections(app.server, logger)
  await waitForStore(store, logger)
  await app.listen({ host: config.host, port: config.port })
  onReady(startupBanner(config, store.description, sandbox))
  return {
    shutDown: () => {
      // An uncaught error may have started it already.
      if (!isShuttingDown) void grace.close()
    }
  }
}

/** Without its message, which may hold a secret. */
const loggableError = (error: Error) => ({ name: error.name, code: (error as NodeJS.ErrnoException).code, stack: stackFrames(error) })

async function startSandbox({ publicUrl, dataDir }: Config, definitions: readonly Provider[]) {
  const { startSandbox } = await import('../sandbox/sandbox.ts')
  return startSandbox({
    definitions,
    redirectUris: vendor => [`${publicUrl}/auth/${vendor}/callback`],
    grantFile: join(dataDir, 'sandbox.json')
  })
}
