import type { Test } from 'tap'
import type { Sandbox, SandboxOptions } from '../../src/sandbox/sandbox.ts'
import { Browser } from '../support/browser.ts'
import { startGatewayProcess } from '../support/command.ts'
import { freePort } from '../support/free-port.ts'
import { newKey, startTestSandbox } from '../support/gateway.ts'
import { type NodeProcess, stopProcess } from '../support/node-process.ts'

/** One gateway in its own process. */
export type Instance = {
  readonly url: string
  readonly environment: Readonly<Record<string, string>>
  readonly pid: () => number | undefined
  /** Starts it on the same port as before. */
  start(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
  /** SIGSTOP: its sockets stay open. */
  freeze(): void
  unfreeze(): void
  /** SIGTERM. @returns the exit code and how long the shutdown took. */
  terminate(): Promise<{ code: number | null; tookMs: number }>
  /** Everything written to stdout and stderr since the last start. */
  output(): string
}

export type Fleet = {
  readonly instances: readonly Instance[]
  readonly urls: readonly string[]
  readonly sandbox: Sandbox
  /** @returns a browser that is connected to this provider. */
  signIn(provider: string): Promise<Browser>
}

type FleetOptions = {
  /** One URL for all instances, or one for each. */
  readonly redisUrl: string | readonly string[]
  readonly size?: number
  readonly environment?: Readonly<Record<string, string>>
  readonly switches?: NonNullable<SandboxOptions['switches']>
}

/** Production gateways with the same keys and public URL. Their providers are a sandbox in this process. */
export async function startFleet(t: Test, { redisUrl, size = 3, environment = {}, switches = {} }: FleetOptions): Promise<Fleet> {
  const [publicPort = 0, ...morePorts] = await Promise.all(Array.from({ length: size }, freePort))
  const publicUrl = `http://localhost:${publicPort}`
  const sandbox = await startTestSandbox(t, [publicPort], { switches })
  const common = {
    NODE_ENV: 'production',
    LOG_LEVEL: 'warn',
    PUBLIC_URL: publicUrl,
    SESSION_KEYS: newKey(),
    TOKEN_KEYS: newKey(),
    ...sandbox.environment,
    ...environment
  }
  const instances = [publicPort, ...morePorts].map((port, i) =>
    createInstance(t, port, { ...common, PORT: `${port}`, REDIS_URL: typeof redisUrl === 'string' ? redisUrl : (redisUrl[i] ?? '') })
  )
  await Promise.all(instances.map(({ start }) => start()))
  return {
    instances,
    urls: instances.map(({ url }) => url),
    sandbox,
    signIn: async provider => {
      const browser = new Browser()
      const { status } = await browser.connect(publicUrl, provider)
      if (status !== 200) throw new Error(`sign-in ended with ${status}`)
      return browser
    }
  }
}

function createInstance(t: Test, port: number, environment: Record<string, string>): Instance {
  let running: NodeProcess
  return {
    url: `http://localhost:${port}`,
    environment,
    pid: () => running.child.pid,
    start: async () => {
      running = await startGatewayProcess(t, environment)
    },
    kill: async () => {
      await stopProcess(running, 'SIGKILL')
    },
    freeze: () => void running.child.kill('SIGSTOP'),
    unfreeze: () => void running.child.kill('SIGCONT'),
    terminate: async () => {
      const start = performance.now()
      const code = await stopProcess(running, 'SIGTERM')
      return { code, tookMs: performance.now() - start }
    },
    output: () => running.output()
  }
}
