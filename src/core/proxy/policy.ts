import { GatewayError } from '../errors.ts'
import { guardPath, isPathWithin } from '../guards/path.ts'
import type { HttpMethod, Provider } from '../provider/definition.ts'

/**
 * Checks a request by its method and target against what the definition forwards.
 * @param target path and query below the API's base
 * @throws {GatewayError} `path_rejected`, `method_not_allowed`
 */
export function guardTarget({ name, title, api }: Provider, method: HttpMethod, target: string): void {
  const path = guardPath(target)
  if (api.methods && !api.methods.includes(method)) {
    throw new GatewayError('method_not_allowed', `${method} is not forwarded to ${title}.`, { provider: name, allow: api.methods })
  }
  if (api.paths && !api.paths.some(prefix => isPathWithin(path === '' ? '/' : path, prefix)))
    throw new GatewayError('path_rejected', `This path is not forwarded to ${title}.`, { provider: name })
}

/** @throws {GatewayError} `header_rejected` when the headers are larger than the definition allows */
export function guardHeaderSize({ name, title, api: { maxHeaderBytes } }: Provider, rawHeaders: readonly string[]): void {
  if (maxHeaderBytes === undefined || rawHeaders.reduce((bytes, text) => bytes + text.length, 0) <= maxHeaderBytes) return
  throw new GatewayError('header_rejected', `The headers are larger than the ${maxHeaderBytes} bytes that are forwarded to ${title}.`, {
    provider: name,
    status: 431
  })
}
