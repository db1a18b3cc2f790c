import { join } from 'node:path'
import { freePort } from '../../../test/support/free-port.ts'
import { onTestedCore } from '../cores.ts'
import { startDaemon } from '../daemon.ts'
import type { Running, World } from '../system.ts'

const bench = join(import.meta.dirname, '..', '..')

/** Starts a Node proxy in production mode. Those with packages of their own are in peers/, the others in programs/. */
export async function startProgram(
  { owner, directory, upstream, redisUrl }: World,
  file: string,
  environment: Readonly<Record<string, string>> = {}
): Promise<Pick<Running, 'base' | 'pids' | 'startMs'> & { origin: string }> {
  const port = await freePort()
  const path = file.endsWith('.ts') ? join(bench, 'throughput', 'programs', file) : join(bench, 'peers', file)
  const daemon = await startDaemon(owner, onTestedCore([process.execPath, path]), {
    environment: { NODE_ENV: 'production', PORT: String(port), UPSTREAM: upstream, REDIS_URL: redisUrl, ...environment },
    logFile: join(directory, `${file}-${port}.log`),
    ready: { port }
  })
  const origin = `http://127.0.0.1:${port}`
  return { origin, base: `${origin}/proxy/productboard`, pids: [daemon.pid], startMs: daemon.startMs }
}
