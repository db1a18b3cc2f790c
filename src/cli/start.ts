import cluster from 'node:cluster'
import { readConfig } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import { loadProviders } from '../config/load-providers.ts'
import { freePort } from '../server/free-port.ts'
import { exitCode, startupErrorMessage } from '../server/startup-error.ts'

const say = (text: string) => void process.stdout.write(`${text}\n`)

/** What serves, and what watches over those that do, are loaded only where they are needed. */
async function start(variables: Environment): Promise<void> {
  const definitions = await loadProviders()
  const asked = readConfig(variables, definitions)
  // PORT=0: what else is wrong is told before a port is looked for.
  const configured = asked.port === 0 ? readConfig(variables, definitions, await freePort(asked.host)) : asked
  if (cluster.isWorker) {
    const { runWorker } = await import('../server/worker.ts')
    await runWorker({ variables, definitions, configured })
  } else if (configured.workers > 1) {
    const { supervise } = await import('../server/supervisor.ts')
    supervise(configured.workers, { PORT: String(configured.port), PORT_FILE: '' }, { logLevel: configured.logLevel, onReady: say })
  } else {
    const { serve } = await import('../server/serve.ts')
    await serve({ variables, definitions, configured, onReady: say })
  }
}

start(process.env).catch((error: Error) => {
  process.stderr.write(`${startupErrorMessage(error)}\n`)
  process.exit(exitCode(error))
})
