import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Test } from 'tap'
import type { Connected } from './connected.ts'

/** Resolves when the socket has closed, with an error or without: a reset is an end like any other. */
export function closed(socket: Socket): Promise<void> {
  return new Promise(resolve => {
    socket.on('error', () => {}).on('close', () => resolve())
  })
}

/** Sends bytes as they are and reads until the connection ends, or is reset. Rejects when there is none. */
export async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes, 'latin1')
  let text = ''
  socket.setEncoding('latin1').on('data', chunk => {
    text += chunk
  })
  const end = closed(socket)
  await once(socket, 'connect')
  await end
  return text
}

/**
 * A frontend's call in this browser's session, with a target and header lines that no client library would send.
 * @param start such as `GET /proxy/productboard/x`
 */
export function rawCall(
  { gateway, browser }: Pick<Connected, 'gateway' | 'browser'>,
  start: string,
  { headers = [], body = '' }: { headers?: string[]; body?: string } = {}
): Promise<string> {
  const cookie = browser.sessionPair(gateway.url)
  const connection = headers.some(line => /^connection:/i.test(line)) ? [] : ['Connection: close']
  const lines = [`${start} HTTP/1.1`, 'Host: x', 'X-CSRF: 1', `Cookie: ${cookie}`, ...connection, ...headers]
  return raw(Number(new URL(gateway.url).port), `${lines.join('\r\n')}\r\n\r\n${body}`)
}

/** Asserts that an answer is a refusal with this code. */
export function refusedRaw(t: Test, answer: string, status: number, code: string, what = code): void {
  t.match(answer, new RegExp(`^HTTP/1.1 ${status} `), what)
  t.match(answer, new RegExp(`^grantkeeper-error: ${code}\r$`, 'im'), what)
}
