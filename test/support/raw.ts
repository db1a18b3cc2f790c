import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Test } from 'tap'
import type { ConnectedGateway } from './connected.ts'

/** Resolves when the socket has closed, also by a reset. */
export function waitForClose(socket: Socket): Promise<void> {
  return new Promise(resolve => {
    socket.on('error', () => {}).on('close', () => resolve())
  })
}

/** Sends bytes unchanged and reads until the connection ends or is reset. Rejects if it cannot connect. */
export async function sendRaw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes, 'latin1')
  let text = ''
  socket.setEncoding('latin1').on('data', chunk => {
    text += chunk
  })
  const close = waitForClose(socket)
  await once(socket, 'connect')
  await close
  return text
}

/**
 * Sends a frontend's request in this browser's session, with a target and header lines that no client library would send.
 * @param start method and target, such as `GET /proxy/productboard/x`
 */
export function sendRawRequest(
  { gateway, browser }: Pick<ConnectedGateway, 'gateway' | 'browser'>,
  start: string,
  { headers = [], body = '' }: { headers?: string[]; body?: string } = {}
): Promise<string> {
  const cookie = browser.sessionPair(gateway.url)
  const connection = headers.some(line => /^connection:/i.test(line)) ? [] : ['Connection: close']
  const lines = [`${start} HTTP/1.1`, 'Host: x', 'X-CSRF: 1', `Cookie: ${cookie}`, ...connection, ...headers]
  return sendRaw(Number(new URL(gateway.url).port), `${lines.join('\r\n')}\r\n\r\n${body}`)
}

/** Asserts that a response has this status and error code. */
export function assertRawError(t: Test, response: string, status: number, code: string, message = code): void {
  t.match(response, new RegExp(`^HTTP/1.1 ${status} `), message)
  t.match(response, new RegExp(`^grantkeeper-error: ${code}\r$`, 'im'), message)
}
