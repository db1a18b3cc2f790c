import type { Provider } from '../provider/definition.ts'
import type { Connection } from './connection.ts'
import { methodOf } from './connection-definition.ts'

/** Shorter values may occur in a text by chance. */
const minCharacters = 4

/** Everything of a connection that nobody may see: its credentials, and the parameters and values that the definition calls secret. */
export function secretsOf(definition: Provider, connection: Connection): readonly string[] {
  const { credential, refreshToken, parameters: given, values } = connection
  const secrets = [credential.reveal(), ...(refreshToken ? [refreshToken.reveal()] : [])]
  if (!given && !values) return secrets
  const method = methodOf(definition, connection)
  const fields = method && 'fields' in method ? method.fields : undefined
  for (const [declared, texts] of [
    [{ ...definition.parameters, ...fields }, given],
    [method?.values, values]
  ] as const)
    for (const [name, text] of Object.entries(texts ?? {})) if (declared?.[name]?.secret && text.length >= minCharacters) secrets.push(text)
  return secrets
}
