import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { isRunning, killOnExit, type Owner, stopProcess } from './node-process.ts'

export type RedisServer = {
  url: string
  port: number
  /** Kills the server, like a crash. */
  stop(): Promise<void>
  /** Starts an empty server on the same port. */
  start(): Promise<void>
  /** Suspends the process: connections stay open without replies. */
  freeze(): void
  thaw(): void
}

/**
 * Starts a redis-server without persistence on a free port. The owner's teardown kills it.
 *
 * @param args further arguments, such as `['--requirepass', 'secret']`
 */
export async function startRedis(owner: Owner, args: readonly string[] = []): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'grantkeeper-redis-'))
  // Sentinel requires a configuration file that it can write.
  const file = join(directory, 'redis.conf')
  await writeFile(file, '')
  const port = await freePort()
  let server: ChildProcess | undefined

  const start = async () => {
    if (server && isRunning(server)) throw new Error(`redis-server is already running on port ${port}`)
    const flags = [file, '--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'no', ...args]
    server = spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'pipe'] })
    killOnExit(server)
    await waitUntilReady(server)
  }
  const stop = async () => {
    if (server) await stopProcess({ child: server }, 'SIGKILL')
  }
  owner.teardown(async () => {
    await stop()
    await rm(directory, { recursive: true })
  })

  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    stop,
    start,
    freeze: () => void server?.kill('SIGSTOP'),
    thaw: () => void server?.kill('SIGCONT')
  }
}

/** Resolves when the server's log says that it is ready. */
function waitUntilReady(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = ''
    server.on('error', cause => reject(new Error('redis-server cannot be started: apt-get install redis-server', { cause })))
    server.on('exit', code => reject(new Error(`redis-server ended with ${code}:\n${log}`)))
    for (const output of [server.stdout, server.stderr]) {
      output?.on('data', data => {
        log += data
        if (/Ready to accept connections|Sentinel ID is/.test(log)) resolve()
      })
    }
  })
}
