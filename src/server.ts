import cluster from 'node:cluster'
import { readConfig, readPort } from './config/config.ts'
import type { Environment } from './config/environment.ts'
import { freePort } from './free-port.ts'
import { loadProviders } from './load-providers.ts'
import { exitCodeOf, messageOf } from './start-up-failure.ts'

const say = (text: string) => void process.stdout.write(`${text}\n`)

/** What serves, and what watches over those that do, are loaded only where they are needed. */
async function start(variables: Environment): Promise<void> {
  const definitions = await loadProviders()
  const requested = readPort(variables)
  const port = requested === 0 ? await freePort(variables.HOST || '127.0.0.1') : requested
  const configured = readConfig(variables, definitions, port)
  if (cluster.isWorker) {
    const { work } = await import('./worker.ts')
    await work({ variables, definitions, configured })
  } else if (configured.workers > 1) {
    const { watchOver } = await import('./workers.ts')
    watchOver(configured.workers, { PORT: String(port) }, { logLevel: configured.logLevel, onReady: say })
  } else {
    const { serve } = await import('./serve.ts')
    await serve({ variables, definitions, configured, onReady: say })
  }
}

start(process.env).catch((error: Error) => {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exit(exitCodeOf(error))
})
