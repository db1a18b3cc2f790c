import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { endWithThisProcess, type Owner, runs, stopped } from './node-process.ts'

export type RedisServer = {
  url: string
  port: number
  /** Kills it, as a crash would. */
  stop(): Promise<void>
  /** Again, on the same port, with nothing in it. */
  start(): Promise<void>
  /** It stays connected and answers nothing. */
  freeze(): void
  thaw(): void
}

/**
 * A real redis-server of its own on a free port, without persistence, gone at the end of its owner.
 *
 * @param args more of its command line, such as `['--requirepass', 'secret']`
 */
export async function startRedis(owner: Owner, args: readonly string[] = []): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'grantkeeper-redis-'))
  // Sentinel insists on a file that it can write to.
  const file = join(directory, 'redis.conf')
  await writeFile(file, '')
  const port = await freePort()
  let server: ChildProcess | undefined

  const start = async () => {
    if (server && runs(server)) throw new Error(`redis-server runs already on port ${port}`)
    const flags = [file, '--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'no', ...args]
    server = spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'pipe'] })
    endWithThisProcess(server)
    await answering(server)
  }
  const stop = async () => {
    if (server) await stopped({ child: server }, 'SIGKILL')
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

/** Its log says when it is ready; a test waits for that, not for a time. */
function answering(server: ChildProcess): Promise<void> {
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
