import { GatewayError } from '../errors.ts'

const headerName = 'grantkeeper-connection'

/**
 * Reads `Grantkeeper-Connection`, which names one of the user's accounts at a provider.
 * @returns `undefined` without the header. An id that no connection can have is a good id that nobody has.
 * @throws {GatewayError} `header_rejected` when it is given twice
 */
export function requestedConnection(rawHeaders: readonly string[]): string | undefined {
  let id: string | undefined
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (name.length !== headerName.length || name.toLowerCase() !== headerName) continue
    if (id !== undefined) throw new GatewayError('header_rejected', 'Grantkeeper-Connection is given twice. Give it once.')
    id = rawHeaders[i + 1] as string
  }
  return id
}
