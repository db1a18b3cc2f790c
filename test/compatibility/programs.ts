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

/** No proxy of this machine stands in between. */
export const env = { PATH: process.env.PATH ?? '' }

const script = join(import.meta.dirname, 'python-client.py')

let interpreter: string | undefined

/** A library of Python, in a process that ends with `close`. */
export function python(library: PythonModule): Client & { close(): Promise<void> } {
  interpreter ??= pythonPath() ?? 'python3'
  const child = spawn(interpreter, [script, library], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return {
    retries: library === 'urllib3',
    send: async ({ body, ...request }: Request): Promise<Response> => {
      child.stdin.write(`${JSON.stringify({ ...request, ...(body && { body: body.toString('base64') }) })}\n`)
      const { value = '{"error":"it has ended"}' } = await lines.next()
      const { error, ...answer } = JSON.parse(value)
      if (error) throw new Error(`${library}: ${error}`)
      return { ...answer, body: Buffer.from(answer.body, 'base64') }
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
    const told = ['--dump-header', head, '--output', received]
    await run('curl', ['--silent', '--show-error', '--compressed', ...lines, ...data, ...told, url, ...more], { env })
    // A 100 Continue has a head of its own before the last one.
    const [start = '', ...fields] = (await readFile(head, 'latin1')).trimEnd().split('\r\n\r\n').at(-1)?.split('\r\n') ?? []
    const named = fields.map(field => /^([^:]+):\s*(.*)$/.exec(field)).map(found => [found?.[1]?.toLowerCase(), found?.[2]])
    return { status: Number(start.split(' ')[1]), headers: Object.fromEntries(named), body: await readFile(received) }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Each call is a process of its own; one process may be told two addresses. */
export const curl: Client = {
  send: request => runCurl(request),
  sendTwice: request => runCurl(request, '--output', '/dev/null', request.url)
}
