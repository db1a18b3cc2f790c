import { writeSync } from 'node:fs'
import type { DestinationStream } from 'pino'

/**
 * Lines leave before there are more bytes of them, or so much later: a write for each would cost more than the line itself. A pipe
 * takes so much as a whole (PIPE_BUF), so that the lines of two workers do not end up in one another; a longer line may be cut into.
 */
const maxBytes = 4096
const leaveAfterMs = 50
/** How soon a reader that had no room is asked again. */
const askAgainMs = 10
/** What waits for a reader, in bytes. What is said beyond that is counted instead. */
const maxWaiting = 8 * 1024 * 1024
/** How long a process that ends waits for a reader that has no room. */
const defaultLastMs = 1_000
const stdoutFd = 1

/**
 * Where log lines go: to stdout, without holding up the calls of everybody else, however slowly it is read.
 *
 * They are written from this thread, each piece as far as there is room for it. A write in another thread may be anywhere when the
 * process ends: the rest would be written before it, twice, or not at all.
 */
export function logDestination({ lastMs = defaultLastMs } = {}): DestinationStream & { flush(): void } {
  // A pipe or socket waits for its reader until Node.js has it as a stream; from then on it says that it has no room.
  process.stdout.on('error', () => {})
  let lines = ''
  let gathered = 0
  let waiting: Buffer[] = []
  let bytes = 0
  let lost = 0
  let timer: NodeJS.Timeout | undefined

  function gather(line: string): void {
    const length = Buffer.byteLength(line)
    if (length + gathered > maxBytes) leave()
    lines += line
    gathered += length
    leaveIn(leaveAfterMs)
  }

  function leave(): void {
    clearTimeout(timer)
    timer = undefined
    if (lines !== '') {
      const piece = Buffer.from(lines)
      lines = ''
      gathered = 0
      waiting.push(piece)
      bytes += piece.length
    }
    if (!write()) leaveIn(askAgainMs)
  }

  function leaveIn(ms: number): void {
    timer ??= setTimeout(leave, ms).unref()
  }

  /** @returns whether all that waited has left */
  function write(): boolean {
    for (let piece = waiting[0]; piece; piece = waiting[0]) {
      try {
        const written = writeSync(stdoutFd, piece)
        bytes -= written
        if (written < piece.length) waiting[0] = piece.subarray(written)
        else waiting.shift()
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false
        // Nobody reads any more, or the disk is full. No line can say so, and calls go on.
        waiting = []
        bytes = 0
      }
    }
    if (lost > 0) sayWhatIsLost()
    return true
  }

  function sayWhatIsLost(): void {
    const said = { level: 40, time: Date.now(), pid: process.pid, lost, msg: 'log lines were lost: stdout was read too slowly' }
    lost = 0
    gather(`${JSON.stringify(said)}\n`)
  }

  /** All that was said so far, before anything else happens: for a process that ends. */
  function flush(): void {
    const until = Date.now() + lastMs
    leave()
    while ((bytes > 0 || lines !== '') && Date.now() < until) {
      if (bytes > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, askAgainMs)
      leave()
    }
  }
  process.once('exit', flush)

  return {
    flush,
    write(line) {
      if (bytes >= maxWaiting) {
        lost++
        return
      }
      gather(line)
    }
  }
}
