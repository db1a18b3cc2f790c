import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

export type Load = {
  readonly url: string
  readonly method: 'GET' | 'POST'
  /** Of the body that is sent; 0: none. */
  readonly bodyBytes: number
  /** Least bytes of an answer: a system that answers with less is broken, whatever its status. */
  readonly responseBytes: number
  readonly headers: Readonly<Record<string, string>>
  /** `Cookie` headers, used in turn; empty: none is sent. */
  readonly cookies: readonly string[]
  /** Requests a second; left out: as many as it takes. */
  readonly rate?: number
}

/** How long answers took. */
export type Latencies = { readonly p50Ms: number; readonly p99Ms: number }

export type Run = Latencies & {
  readonly requests: number
  readonly seconds: number
  /** Why this is no measurement. */
  readonly error: string | undefined
}

export const connections = 48
/** With one answer. Between slices the systems are stopped, and an answer of 1 MB may take several of them. */
const timeoutSeconds = 30
const script = join(import.meta.dirname, 'load.lua')
let fileCount = 0

/** A wrk that runs, or has ended. */
export type Wrk = {
  /** SIGINT: it ends before its time, and tells what it has counted so far. */
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGINT' | 'SIGKILL'): void
  readonly run: Promise<Run>
}

/** One round of wrk. */
export const runWrk = async (directory: string, load: Load, seconds: number): Promise<Run> => (await startWrk(directory, load, seconds)).run

/** One thread, `connections` kept alive. @param directory where the list of cookies is put */
export async function startWrk(directory: string, load: Load, seconds: number): Promise<Wrk> {
  const cookies = join(directory, `cookies-${++fileCount}`)
  await writeFile(cookies, load.cookies.length > 0 ? load.cookies.join('\n') : '-')
  const env = {
    PATH: process.env.PATH ?? '',
    METHOD: load.method,
    BODY_BYTES: String(load.bodyBytes),
    COOKIES: cookies,
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
    // It could not even connect, for instance.
    const said = (error as { stderr?: string }).stderr?.trim() || String(error)
    return { requests: 0, seconds, p50Ms: 0, p99Ms: 0, error: `wrk: ${said.split('\n').at(-1)}` }
  }
}

function findError({ requests, errors, bytes }: { requests: number; errors: number; bytes: number }, { responseBytes }: Load) {
  if (errors > 0) return `${errors} of ${requests} requests failed`
  if (!(requests > 0)) return 'no request was answered'
  return bytes < requests * responseBytes ? 'answers were too short' : undefined
}
