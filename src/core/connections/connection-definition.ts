import type { ApiKeyMethod, OAuth2Method, Provider } from '../provider/definition.ts'
import { hasTemplates, missingVariables, resolveDefinition } from '../provider/resolve-definition.ts'
import { TemplateError, type Variables } from '../provider/template.ts'
import type { Connection } from './connection.ts'
import { connectionIncomplete } from './errors.ts'

type Values = Pick<Connection, 'parameters' | 'values'>

const none: Variables = {}

/** What templates may name of a connection, its credentials excepted. */
export const variablesOf = ({ parameters, values }: Values): Variables => (parameters || values ? { ...parameters, ...values } : none)

/** How the definition describes the method by which the connection was made. */
export const methodOf = ({ methods }: Provider, { method }: Pick<Connection, 'method'>): OAuth2Method | ApiKeyMethod | undefined =>
  method === 'oauth2' ? methods.oauth2 : methods.apiKey

const definitions = new WeakMap<Values, Provider>()

/**
 * The provider's definition as it is for this connection. Every request to the API needs it, and cached connections are the same object.
 * @throws {GatewayError} `reconnect_required` when the definition needs a value that the connection was made without
 */
export function definitionOf(definition: Provider, connection: Values): Provider {
  if (!hasTemplates(definition)) return definition
  const known = definitions.get(connection)
  if (known) return known
  const variables = variablesOf(connection)
  const missing = missingVariables(definition, variables)
  if (missing.length > 0) throw connectionIncomplete(definition, missing)
  try {
    const resolved = resolveDefinition(definition, variables)
    definitions.set(connection, resolved)
    return resolved
  } catch (error) {
    // The definition has changed: the value was good where it stood before.
    if (error instanceof TemplateError) throw connectionIncomplete(definition, [error.variable])
    throw error
  }
}
