import type { Socket } from 'node:net'

/** The peer has closed and reads no more. */
const closedCodes = new Set(['EPIPE', 'ECONNRESET', 'ECONNABORTED'])

type WriteCallback = (error?: Error | null) => void

/**
 * Keeps a socket readable after its peer has stopped reading. A server that refuses an upload by its head responds and closes; the
 * response may still be in the receive buffer when the next chunk meets the reset (RFC 9112 §9.6). Such a write never calls back; the
 * reading side delivers the response, and then the FIN or the reset.
 */
export function deferWriteErrors(socket: Socket): void {
  const write = socket._write
  const writev = socket._writev
  socket._write = (chunk, encoding, callback) => write.call(socket, chunk, encoding, unlessClosed(callback))
  if (writev) socket._writev = (chunks, callback) => writev.call(socket, chunks, unlessClosed(callback))
}

const unlessClosed =
  (callback: WriteCallback): WriteCallback =>
  error => {
    if (error && closedCodes.has((error as NodeJS.ErrnoException).code ?? '')) return
    callback(error)
  }
