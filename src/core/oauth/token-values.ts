import type { Grant } from '../connections/connection.ts'
import type { Provider } from '../provider/definition.ts'
import { LearntValueError, learnValues } from '../provider/learn-values.ts'
import type { LearntValues } from '../provider/parameter.ts'
import type { Variables } from '../provider/template.ts'
import { TokenEndpointError } from './token-response.ts'

/**
 * The values that a new grant is of no use without.
 * @param document the token response, or the callback's query
 * @throws {TokenEndpointError} `invalid_value`, which names the value and never has its content
 */
export function readValues(
  definition: Provider,
  values: LearntValues | undefined,
  from: 'token' | 'callback',
  document: unknown
): Variables {
  try {
    return learnValues(definition, values, from, document)
  } catch (error) {
    throw error instanceof LearntValueError ? new TokenEndpointError('invalid_value', error.message) : error
  }
}

/**
 * The values in the response to a refresh, which need not repeat them. The connection keeps those that it lacks, and those that have another form
 * than they must: the refresh token may have been spent, so that the grant must not be lost for them.
 */
export function readNewValues(definition: Provider, values: LearntValues, document: unknown): Pick<Grant, 'values' | 'ignoredValues'> {
  const read: Record<string, string> = {}
  const ignoredValues: string[] = []
  for (const [name, value] of Object.entries(values)) {
    try {
      // A default is not what the response says.
      const { default: _, ...said } = value
      Object.assign(read, learnValues(definition, { [name]: said }, 'token', document, { isOptional: true }))
    } catch (error) {
      if (!(error instanceof LearntValueError)) throw error
      ignoredValues.push(name)
    }
  }
  return { ...(Object.keys(read).length > 0 && { values: read }), ...(ignoredValues.length > 0 && { ignoredValues }) }
}
