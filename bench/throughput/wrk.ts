import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

export type Load = {
  readonly url: string
  readonly method: 'GET' | 'POST'
  /** Size of the request body; 0 for none. */
  readonly bodyBytes: number
  /** Minimum size of a response: a system that sends less is broken, whatever the status. */
  readonly responseBytes: number
  readonly headers: Readonly<Record<string, string>>
  /** Of sessions, used in turn: a `Cookie` header, or an `Authorization` header that begins with `Bearer`. None is sent when empty. */
  readonly credentials: readonly string[]
  /** Requests per second; as many as possible when left out. */
  readonly rate?: number
}

/** Response times. */
export type Latencies = { readonly p50Ms: number; readonly p99Ms: number }

export type Run = Latencies & {
  readonly requests: number
  readonly seconds: number
  /** Why the measurement is invalid. */
  readonly error: string | undefined
}

export const connections = 48
/** For one response. Systems are stopped between slices, and a response of 1 MB may take several slices. */
const timeoutSeconds = 30
const script = join(import.meta.dirname, 'load.lua')
let fileCount = 0

/** A running or finished wrk. */
export type Wrk = {
  /** SIGINT ends it early; it then reports what it has counted so far. */
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGINT' | 'SIGKILL'): void
  readonly run: Promise<Run>
}

/** Runs wrk for one round. */
export const runWrk = async (directory: string, load: Load, seconds: number): Promise<Run> => (await startWrk(directory, load, seconds)).run

/** Starts wrk with one thread and `connections` keep-alive connections. @param directory for the file with the credentials */
export async function startWrk(directory: string, load: Load, seconds: number): Promise<Wrk> {
  const credentials = join(directory, `credentials-${++fileCount}`)
  await writeFile(credentials, load.credentials.length > 0 ? load.credentials.join('\n') : '-')
  const env = {
    PATH: process.env.PATH ?? '',
    METHOD: load.method,
    BODY_BYTES: String(load.bodyBytes),
    CREDENTIALS: credentials,
    HEADERS: Object.entries(load.headers)
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n'),
    ...(load.rate !== undefined && { RATE: String(load.rate) })
  }
  const args = [
    '--threads',
    '1',
    '--connections',
    String(connections),
    '--duration',
    `${seconds}s`,
    '--timeout',
    `${timeoutSeconds}s`,
    '--script',
    script
  ]
  const running = promisify(execFile)('wrk', [...args, load.url], { env })
  return { signal: name => void running.child.kill(name), run: resultOf(running, load, seconds) }
}

async function resultOf(running: Promise<{ stdout: string }>, load: Load, seconds: number): Promise<Run> {
  try {
    const { stdout } = await running
    const result = JSON.parse(/^RESULT (.*)$/m.exec(stdout)?.[1] ?? '')
    return { ...result, error: findError(result, load) }
  } catch (error) {
    // For example, it could not connect.
    const output = (error as { stderr?: string }).stderr?.trim() || String(error)
    return { requests: 0, seconds, p50Ms: 0, p99Ms: 0, error: `wrk: ${output.split('\n').at(-1)}` }
  }
}

function findError({ requests, errors, bytes }: { requests: number; errors: number; bytes: number }, { responseBytes }: Load) {
  if (errors > 0) return `${errors} of ${requests} requests failed`
  if (!(requests > 0)) return 'no request completed'
  return bytes < requests * responseBytes ? 'responses were too short' : undefined
}
