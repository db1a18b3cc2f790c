import cluster from 'node:cluster'
import { readConfig } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import { loadProviders } from '../config/load-providers.ts'
import { freePort } from '../server/free-port.ts'
import { exitCode, startupErrorMessage } from '../server/startup-error.ts'

const print = (text: string) => void process.stdout.write(`${text}\n`)

/** Runs a gateway in this process, or as a worker or the supervisor of several. Each loads only the modules that it needs. */
async function start(variables: Environment): Promise<void> {
  const definitions = await loadProviders()
  const initial = readConfig(variables, definitions)
  // With PORT=0 the first reading reports all problems before a port is looked for.
  const configured = initial.port === 0 ? readConfig(variables, definitions, await freePort(initial.host)) : initial
  if (cluster.isWorker) {
    const { runWorker } = await import('../server/worker.ts')
    await runWorker({ variables, definitions, configured })
  } else if (configured.workers > 1) {
    const { supervise } = await import('../server/supervisor.ts')
    supervise(configured.workers, { PORT: String(configured.port), PORT_FILE: '' }, { logLevel: configured.logLevel, onReady: print })
  } else {
    const { serve } = await import('../server/serve.ts')
    await serve({ variables, definitions, configured, onReady: print })
  }
}

start(process.env).catch((error: Error) => {
  process.stderr.write(`${startupErrorMessage(error)}\n`)
  process.exit(exitCode(error))
})
