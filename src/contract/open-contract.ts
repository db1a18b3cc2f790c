import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { readConfig } from '../config/config.ts'
import type { Provider } from '../core/provider/definition.ts'
import { openGateway } from '../open-gateway.ts'
import { startSandbox } from '../sandbox/sandbox.ts'
import { freePort } from '../server/free-port.ts'
import { type Method, runContract, type StepResult } from './contract.ts'

export type OpenContract = {
  /** Runs the suite for one of the definitions and one of its methods. Two runs at a time would share the clock. */
  run(definition: Provider, method: Method): AsyncGenerator<StepResult>
  close(): Promise<void>
}

export type ContractOptions = {
  /** The gateway's definitions. Default: those that the sandbox plays. */
  readonly known?: readonly Provider[]
  /** As in `Stage`. */
  readonly maxWaitMs?: number
}

/** Connections outlive their tokens, of which some last for months. */
const yearSeconds = String(365 * 86_400)

/** A gateway and a sandbox for some definitions, on free ports of loopback, with a store of their own. */
export async function openContract(
  definitions: readonly Provider[],
  { known = definitions, ...stage }: ContractOptions = {}
): Promise<OpenContract> {
  const port = await freePort('127.0.0.1')
  const origin = `http://localhost:${port}`
  const folder = await mkdtemp(join(tmpdir(), 'grantkeeper-'))
  const sandbox = await startSandbox({ definitions, redirectUris: vendor => [`${origin}/auth/${vendor}/callback`] })
  const environment = {
    DATA_DIR: folder,
    LOG_LEVEL: 'warn',
    SESSION_IDLE: yearSeconds,
    SESSION_MAX: yearSeconds,
    SIGN_INS_PER_MINUTE: '100000',
    ...sandbox.environment
  }
  const warnings: string[] = []
  const logger = pino({ level: 'warn', base: null, timestamp: false }, { write: (line: string) => void warnings.push(sentenceOf(line)) })
  let nowMs = Date.now()
  const clock = {
    now: () => nowMs,
    advance: (ms: number) => {
      nowMs += ms
    }
  }
  const { app, upstream } = await openGateway(readConfig(environment, known, port), { logger, clock })
  await app.listen({ host: '127.0.0.1', port })

  return {
    run: (definition, method) =>
      runContract({ origin, definition, vendor: sandbox.vendor(definition.name), clock, warnings: () => warnings, ...stage }, method),
    async close() {
      app.server.closeAllConnections()
      await app.close()
      await upstream.close()
      await sandbox.close()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** A line of the log for people: what happened, and the details. */
function sentenceOf(line: string): string {
  const { level: _, msg, provider: _1, requestId: _2, ...details } = JSON.parse(line) as Readonly<Record<string, unknown>>
  const shown = Object.entries(details).map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return shown.length === 0 ? String(msg) : `${msg} (${shown.join(', ')})`
}
