import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import type { Test } from 'tap'
import { readConfig } from '../../src/config/config.ts'
import { loadProviders } from '../../src/config/load-providers.ts'
import type { Clock, Store } from '../../src/core/ports.ts'
import type { Provider } from '../../src/core/provider/definition.ts'
import type { ClientTimeouts, Gateway } from '../../src/gateway.ts'
import type { TokenTimeouts } from '../../src/oauth2/token-endpoint.ts'
import { openGateway } from '../../src/open-gateway.ts'
import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/sandbox.ts'
import type { ServiceDependencies, Services } from '../../src/services.ts'
import { pollUntil } from '../../src/stores/wait-for-store.ts'
import { freePort } from './free-port.ts'

/** A clock that only the test moves. */
export class TestClock implements Clock {
  #nowMs = Date.now()

  now = (): number => this.#nowMs

  advance(ms: number): void {
    this.#nowMs += ms
  }
}

export type GatewayOptions = {
  /** Environment variables, in addition to the required ones. */
  environment?: Record<string, string>
  /** Sandbox providers, whose URLs and clients the gateway uses. */
  sandbox?: Sandbox
  definitions?: readonly Provider[]
  clock?: Clock
  store?: Store
  port?: number
  clientTimeouts?: ClientTimeouts
  undeliveredMs?: number
  tokenTimeouts?: TokenTimeouts
  tokenEndpointFor?: ServiceDependencies['tokenEndpointFor']
}

export type TestGateway = {
  readonly url: string
  readonly app: FastifyInstance
  readonly services: Services
  readonly routes: Gateway['routes']
  readonly logs: readonly string[]
  close(): Promise<void>
}

export const newKey = (): string => randomBytes(32).toString('base64')

/** A complete gateway on a loopback socket, built as `grantkeeper start` does. */
export async function startGateway(t: Test, options: GatewayOptions = {}): Promise<TestGateway> {
  const { environment = {}, sandbox, clock = { now: Date.now } } = options
  const port = options.port ?? (await freePort())
  const variables = {
    SESSION_KEYS: newKey(),
    TOKEN_KEYS: newKey(),
    DATA_DIR: environment.DATA_DIR ?? t.testdir(),
    LOG_LEVEL: 'trace',
    ...sandbox?.environment,
    ...environment
  }
  const config = readConfig(variables, options.definitions ?? (await loadProviders()), port)
  const logs: string[] = []
  const logger = pino({ level: config.logLevel }, { write: (line: string) => void logs.push(line) })
  const { app, services, routes, store, upstream } = await openGateway(config, {
    clock,
    logger,
    ...(options.store && { store: options.store }),
    ...(options.clientTimeouts && { clientTimeouts: options.clientTimeouts }),
    ...(options.tokenEndpointFor && { tokenEndpointFor: options.tokenEndpointFor }),
    ...(options.tokenTimeouts && { tokenTimeouts: options.tokenTimeouts }),
    ...(options.undeliveredMs !== undefined && { undeliveredMs: options.undeliveredMs })
  })
  // Production waits for the store in the same way, so that the first requests find it connected.
  if (!(await pollUntil(store.ping, 10_000))) throw new Error('the store is not available')
  await app.listen({ host: '127.0.0.1', port })

  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= (async () => {
      app.server.closeAllConnections()
      await app.close()
      await upstream.close()
    })()
    return closed
  }
  t.teardown(close)
  return { url: `http://localhost:${port}`, app, services, routes, logs, close }
}

/** A sandbox that accepts the callback URLs of gateways on these ports. */
export async function startTestSandbox(t: Test, ports: readonly number[], options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({
    definitions: options.definitions ?? (await loadProviders()),
    redirectUris: vendor => ports.map(port => `http://localhost:${port}/auth/${vendor}/callback`),
    ...options
  })
  t.teardown(() => sandbox.close())
  return sandbox
}

/** Offers four providers of all that the sandbox plays, for pages that a test looks at as a whole. */
export const fourProviders = { PROVIDERS: 'ignition,outgrow,process-street,productboard' }

/** A sandbox and a gateway that uses it. */
export async function startGatewayAndSandbox(t: Test, options: GatewayOptions = {}, sandboxOptions: Partial<SandboxOptions> = {}) {
  const port = await freePort()
  const { definitions } = options
  const sandbox = await startTestSandbox(t, [port], { ...(definitions && { definitions }), ...sandboxOptions })
  const gateway = await startGateway(t, { port, sandbox, ...options })
  return { gateway, sandbox }
}
