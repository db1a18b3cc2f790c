import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { UsageError } from '../usage-error.ts'

/** Whoever starts the command with a pipe that nothing is written to, as many programs do, waits no longer. */
const firstByteMs = 5_000

/**
 * The token response to read: from a file, from a terminal, or from a pipe.
 * @param file `-` for standard input, however late it comes
 * @returns `undefined` if there is none
 * @throws {UsageError} for a file that cannot be read
 */
export async function readResponse(
  file: string | undefined,
  printError: (text: string) => void,
  input: NodeJS.ReadStream = process.stdin
): Promise<Buffer | undefined> {
  if (file !== undefined && file !== '-') return readFile(file).catch(error => unreadable(file, error))
  if (file === undefined && input.isTTY)
    printError('\nPaste a token response, then press Ctrl-D on a line of its own (Ctrl-D alone: none):\n')
  const bytes = file === '-' || input.isTTY ? await buffer(input) : await readSoon(input)
  return bytes.toString().trim() === '' ? undefined : bytes
}

async function readSoon(input: NodeJS.ReadStream): Promise<Buffer> {
  const chunks: Buffer[] = []
  const timer = setTimeout(() => input.destroy(), firstByteMs)
  try {
    for await (const chunk of input) {
      clearTimeout(timer)
      chunks.push(chunk)
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
  } finally {
    clearTimeout(timer)
  }
  return Buffer.concat(chunks)
}

function unreadable(file: string, { code }: NodeJS.ErrnoException): never {
  throw new UsageError(`--response ${file} cannot be read (${code}). Give a file with the body of a token response.`)
}
