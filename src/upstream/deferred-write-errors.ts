import type { Socket } from 'node:net'

/** The other side has closed: it reads no more. */
const closedCodes = new Set(['EPIPE', 'ECONNRESET', 'ECONNABORTED'])

type Done = (error?: Error | null) => void

/**
 * Keeps a socket readable when its other side takes no more of what is written: a server that refuses an upload by its head responds and
 * closes, and the response stands in the receive buffer when the next piece meets the reset (RFC 9112 §9.6). A write that is held is
 * one that never ends; the reading side tells what has come, and then the end or the reset.
 */
export function deferWriteErrors(socket: Socket): void {
  const write = socket._write
  const writeAll = socket._writev
  socket._write = (chunk, encoding, done) => write.call(socket, chunk, encoding, unlessClosed(done))
  if (writeAll) socket._writev = (chunks, done) => writeAll.call(socket, chunks, unlessClosed(done))
}

const unlessClosed =
  (done: Done): Done =>
  error => {
    if (error && closedCodes.has((error as NodeJS.ErrnoException).code ?? '')) return
    done(error)
  }
