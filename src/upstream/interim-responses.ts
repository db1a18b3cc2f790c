import type { Socket } from 'node:net'
import { kParser } from './undici.ts'

type Parser = { onHeadersComplete(status: number, isUpgrade: boolean, isKept: boolean): number }

/**
 * RFC 9110 §15.2: a client must be able to take one or more interim responses, whether it expects any or not. undici refuses a 100 that
 * nobody asked for, and passes over any other: so a 100 is shown to it as a 102, which says as little.
 */
export function forwardContinue(socket: Socket): void {
  const parser = (socket as unknown as Record<symbol, Parser | undefined>)[kParser]
  // Destroyed while it connected.
  if (!parser) return
  undicis ??= parser.onHeadersComplete
  parser.onHeadersComplete = onHeadersComplete
}

/** Of all parsers: they are of one class. */
let undicis: Parser['onHeadersComplete'] | undefined

function onHeadersComplete(this: Parser, status: number, isUpgrade: boolean, isKept: boolean): number {
  return (undicis as Parser['onHeadersComplete']).call(this, status === 100 ? 102 : status, isUpgrade, isKept)
}
