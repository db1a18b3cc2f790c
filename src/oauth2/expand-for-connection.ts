import { reconnectRequired } from '../core/connections/errors.ts'
import { TemplateError } from '../core/provider/template.ts'

/**
 * Makes a request for a connection.
 * @throws {GatewayError} `reconnect_required` when it needs a value that the connection was made without: the definition has changed since
 */
export function expandForConnection<T>(provider: string, expand: () => T): T {
  try {
    return expand()
  } catch (error) {
    throw error instanceof TemplateError ? reconnectRequired(provider) : error
  }
}
