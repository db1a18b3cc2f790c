import cluster from 'node:cluster'
import { readConfig } from '../config/config.ts'
import { loadDefinitions } from '../config/definitions/load-definitions.ts'
import { freePort } from '../server/free-port.ts'
import { readArguments } from './arguments.ts'
import type { Command, CommandContext } from './command.ts'

const help = `Usage: grantkeeper start [--env-file FILE]...

Starts the gateway and serves until a signal ends it. It prints its address, where it
stores tokens, which providers are on, who its users are and what to set next.

Without a configured provider, and unless NODE_ENV is production, the built-in sandbox
plays the vendors: nothing has to be registered, and nothing leaves this machine.

Configuration:
  Environment variables alone; docs/reference/configuration.md lists them. All their
  problems are printed at once. PORT=0 takes a free port; WORKERS=2 starts two processes
  behind one port.

Options:
  --env-file FILE  sets the variables of FILE that are not set yet; may be given several
                   times, and then the last file wins

Examples:
  grantkeeper start
  grantkeeper start --env-file production.env

Signals:
  SIGTERM, SIGINT  stop accepting work, let requests in flight end (SHUTDOWN_TIMEOUT),
                   and exit with 0

Exit codes:
  0   after a signal
  1   it cannot listen, or has ended after an unexpected error
  64  wrong arguments
  78  wrong configuration, or a store file that cannot be used
`

export const command: Command = { summary: 'starts the gateway', help, run: start }

/** Runs a gateway in this process, or as a worker or the supervisor of several. Each loads only the modules that it needs. */
async function start(args: readonly string[], { variables, print }: CommandContext): Promise<number> {
  readArguments({ args: [...args] })
  const definitions = await loadDefinitions(variables)
  const initial = readConfig(variables, definitions)
  const onReady = (banner: string) => print(`${banner}\n`)
  // With PORT=0 the first reading reports all problems before a port is looked for.
  const configured = initial.port === 0 ? readConfig(variables, definitions, await freePort(initial.host)) : initial
  if (cluster.isWorker) {
    const { runWorker } = await import('../server/worker.ts')
    await runWorker({ variables, configured })
  } else if (configured.workers > 1) {
    const { supervise } = await import('../server/supervisor.ts')
    // Workers inherit what --env-file has set. They must not read a file that may have changed since.
    cluster.setupPrimary({ args: ['start'] })
    supervise(configured.workers, { PORT: String(configured.port), PORT_FILE: '' }, { logLevel: configured.logLevel, onReady })
  } else {
    const { serve } = await import('../server/serve.ts')
    await serve({ variables, configured, onReady })
  }
  return 0
}
