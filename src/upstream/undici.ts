import symbols from 'undici/lib/core/symbols.js'

/**
 * What is needed of undici, loaded alone: all of it, with fetch, WebSocket, caches and mocks, is a fifteenth of the memory at rest and
 * an eighth of a start. It promises no address of its parts, so a test compares them with what it exports.
 */
export { default as buildConnector } from 'undici/lib/core/connect.js'
export { default as errors } from 'undici/lib/core/errors.js'
export { default as Client } from 'undici/lib/dispatcher/client.js'
/** Where a socket has the parser of what it brings. */
export const { kParser } = symbols
