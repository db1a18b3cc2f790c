import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { type PythonModule, pythonPath } from '../support/programs.ts'
import type { Client, Request, Response } from './client.ts'

const run = promisify(execFile)

/** Without the proxy variables of this machine. */
export const env = { PATH: process.env.PATH ?? '' }

const script = join(import.meta.dirname, 'python-client.py')

let interpreter: string | undefined

/** A Python library in a process of its own, which ends with `close`. */
export function python(library: PythonModule): Client & { close(): Promise<void> } {
  interpreter ??= pythonPath() ?? 'python3'
  const child = spawn(interpreter, [script, library], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return {
    retries: library === 'urllib3',
    send: async ({ body, ...request }: Request): Promise<Response> => {
      child.stdin.write(`${JSON.stringify({ ...request, ...(body && { body: body.toString('base64') }) })}\n`)
      const { value = '{"error":"the process has exited"}' } = await lines.next()
      const { error, ...response } = JSON.parse(value)
      if (error) throw new Error(`${library}: ${error}`)
      return { ...response, body: Buffer.from(response.body, 'base64') }
    },
    close: async () => {
      child.stdin.end()
      await exit
    }
  }
}

async function runCurl({ method, url, headers, body, inChunks }: Request, ...more: string[]): Promise<Response> {
  const folder = await mkdtemp(join(tmpdir(), 'grantkeeper-curl-'))
  try {
    const [sent, received, head] = [join(folder, 'sent'), join(folder, 'received'), join(folder, 'head')]
    if (body) await writeFile(sent, body)
    const lines = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`])
    if (inChunks) lines.push('--header', 'Transfer-Encoding: chunked')
    const data = body ? (method === 'PUT' ? ['--upload-file', sent] : ['--data-binary', `@${sent}`]) : []
    const output = ['--dump-header', head, '--output', received]
    await run('curl', ['--silent', '--show-error', '--compressed', ...lines, ...data, ...output, url, ...more], { env })
    // A 100 Continue has its own head before the final one.
    const [start = '', ...fields] = (await readFile(head, 'latin1')).trimEnd().split('\r\n\r\n').at(-1)?.split('\r\n') ?? []
    const named = fields.map(field => /^([^:]+):\s*(.*)$/.exec(field)).map(found => [found?.[1]?.toLowerCase(), found?.[2]])
    return { status: Number(start.split(' ')[1]), headers: Object.fromEntries(named), body: await readFile(received) }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Each `send` starts a process; `sendTwice` passes two URLs to one process. */
export const curl: Client = {
  send: request => runCurl(request),
  sendTwice: request => runCurl(request, '--output', '/dev/null', request.url)
}
