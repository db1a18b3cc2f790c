import type { Socket } from 'node:net'
import { kParser } from './undici.ts'

type Parser = { onHeadersComplete(status: number, isUpgrade: boolean, shouldKeepAlive: boolean): number }

/**
 * RFC 9110 §15.2: a client must accept interim responses whether it expects any or not. undici refuses a 100 that it did not ask for and
 * ignores any other, so its parser sees each 100 as a 102.
 */
export function forwardContinue(socket: Socket): void {
  const parser = (socket as unknown as Record<symbol, Parser | undefined>)[kParser]
  // The socket was destroyed while it connected.
  if (!parser) return
  original ??= parser.onHeadersComplete
  parser.onHeadersComplete = onHeadersComplete
}

/** undici's own, the same for all parsers. */
let original: Parser['onHeadersComplete'] | undefined

function onHeadersComplete(this: Parser, status: number, isUpgrade: boolean, shouldKeepAlive: boolean): number {
  return (original as Parser['onHeadersComplete']).call(this, status === 100 ? 102 : status, isUpgrade, shouldKeepAlive)
}
