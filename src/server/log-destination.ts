import { writeSync } from 'node:fs'
import type { DestinationStream } from 'pino'

/**
 * Lines are written in batches of up to this size: a write for each line costs more than the line itself. A write of up to PIPE_BUF bytes
 * to a pipe is atomic (pipe(7)), so that the lines of two workers do not mix; a longer line may be split.
 */
const maxBatchBytes = 4096
const maxDelayMs = 50
/** The retry interval while the pipe is full. */
const retryMs = 10
/** Bytes that wait for a slow reader. Lines beyond that are dropped and counted. */
const maxQueuedBytes = 8 * 1024 * 1024
const defaultExitTimeoutMs = 1_000
const stdoutFd = 1

/**
 * Writes log lines to stdout without blocking the event loop, however slowly stdout is read. Loses no line when the process ends, unless
 * the reader takes longer than `exitTimeoutMs`. Why it is not pino's own: docs/decisions/0042-own-log-destination.md.
 *
 * All writes happen on this thread. A write in flight on another thread when the process ends may be lost, repeated or out of order.
 */
export class LogDestination implements DestinationStream {
  readonly #exitTimeoutMs: number
  #batch = ''
  #batchBytes = 0
  #queue: Buffer[] = []
  #queuedBytes = 0
  #dropped = 0
  #timer: NodeJS.Timeout | undefined

  /** @param options exitTimeoutMs: how long a process that ends waits for a reader whose pipe is full */
  constructor({ exitTimeoutMs = defaultExitTimeoutMs } = {}) {
    this.#exitTimeoutMs = exitTimeoutMs
    // Writes to a pipe or socket block until Node.js opens it as a stream, which makes it non-blocking: a full one is EAGAIN from then on.
    process.stdout.on('error', () => {})
    process.once('exit', () => this.flush())
  }

  write(line: string): void {
    if (this.#queuedBytes >= maxQueuedBytes) this.#dropped++
    else this.#append(line)
  }

  /** Writes everything logged so far, synchronously: for a process that ends. */
  flush(): void {
    const deadlineMs = Date.now() + this.#exitTimeoutMs
    this.#writeBatch()
    while ((this.#queuedBytes > 0 || this.#batch !== '') && Date.now() < deadlineMs) {
      if (this.#queuedBytes > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs)
      this.#writeBatch()
    }
  }

  #append(line: string): void {
    const bytes = Buffer.byteLength(line)
    if (bytes + this.#batchBytes > maxBatchBytes) this.#writeBatch()
    this.#batch += line
    this.#batchBytes += bytes
    this.#schedule(maxDelayMs)
  }

  #writeBatch(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#batch !== '') {
      const buffer = Buffer.from(this.#batch)
      this.#batch = ''
      this.#batchBytes = 0
      this.#queue.push(buffer)
      this.#queuedBytes += buffer.length
    }
    if (!this.#drain()) this.#schedule(retryMs)
  }

  #schedule(ms: number): void {
    this.#timer ??= setTimeout(() => this.#writeBatch(), ms).unref()
  }

  /** @returns whether the queue is empty now */
  #drain(): boolean {
    for (let buffer = this.#queue[0]; buffer; buffer = this.#queue[0]) {
      try {
        const written = writeSync(stdoutFd, buffer)
        this.#queuedBytes -= written
        if (written < buffer.length) this.#queue[0] = buffer.subarray(written)
        else this.#queue.shift()
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false
        // The reader is gone or the disk is full. There is nowhere to log this, and requests must still be served.
        this.#queue = []
        this.#queuedBytes = 0
      }
    }
    if (this.#dropped > 0) this.#logDropped()
    return true
  }

  #logDropped(): void {
    const entry = {
      level: 40,
      time: Date.now(),
      pid: process.pid,
      lost: this.#dropped,
      msg: 'log lines dropped: stdout is read too slowly'
    }
    this.#dropped = 0
    this.#append(`${JSON.stringify(entry)}\n`)
  }
}
