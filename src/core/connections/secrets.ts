import type { Provider } from '../provider/definition.ts'
import type { Connection } from './connection.ts'

/** Shorter values may occur in a text by chance. */
const minCharacters = 4

/** Everything of a connection that nobody may see: its credentials, and the parameters and values that the definition calls secret. */
export function secretsOf({ parameters, methods }: Provider, connection: Connection): readonly string[] {
  const { credential, refreshToken, parameters: given, values } = connection
  const secrets = [credential.reveal(), ...(refreshToken ? [refreshToken.reveal()] : [])]
  if (!given && !values) return secrets
  const method = connection.method === 'oauth2' ? methods.oauth2 : methods.apiKey
  const fields = method && 'fields' in method ? method.fields : undefined
  for (const [declared, texts] of [
    [{ ...parameters, ...fields }, given],
    [method?.values, values]
  ] as const)
    for (const [name, text] of Object.entries(texts ?? {})) if (declared?.[name]?.secret && text.length >= minCharacters) secrets.push(text)
  return secrets
}
