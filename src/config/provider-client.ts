import { createPrivateKey } from 'node:crypto'
import type { OAuth2Method, OAuthClient, Provider } from '../core/provider/definition.ts'
import { positionsOf, unmetPosition } from '../core/provider/placed-values.ts'
import { Secret } from '../core/secret.ts'
import { type EnvironmentReader, exampleOfFile } from './environment.ts'
import { variablePrefix } from './variable-prefix.ts'

/** The operator's client at a provider; `undefined` if there is none, or nothing that could be one. */
export function readClient(env: EnvironmentReader, provider: Provider): OAuthClient | undefined {
  const { oauth2: method } = provider.methods
  const prefix = variablePrefix(provider)
  const id = env.text(`${prefix}_CLIENT_ID`, 'abc123')
  const secret = readSecret(env, `${prefix}_CLIENT_SECRET`, method)
  const scopes = env
    .text(`${prefix}_SCOPES`, method?.scopes.join(' ') || undefined)
    ?.split(/[\s,]+/)
    .filter(scope => scope !== '')
  if (id === undefined && secret === undefined) return undefined
  if (!method) {
    env.addProblem(`${prefix}_CLIENT_ID is set, but this provider does not support OAuth. Remove it.`)
    return undefined
  }
  if (id === undefined) {
    env.addProblem(`${prefix}_CLIENT_ID is missing: a secret is of use with its client ID alone, for example ${prefix}_CLIENT_ID=abc123.`)
    return undefined
  }
  if (secret === undefined) checkPublicClient(env, prefix, method)
  // RFC 6749 appendix A.1, A.2 and A.4.
  for (const [name, value] of [
    ['CLIENT_ID', id],
    ['CLIENT_SECRET', isKey(method) ? 'checked' : (secret ?? 'none')],
    ['SCOPES', scopes?.join(' ') ?? 'none']
  ] as const) {
    if (!/^[\x20-\x7e]+$/.test(value))
      env.addProblem(
        `${prefix}_${name} contains a character that is not printable ASCII. Copy it again, for example ${env.exampleOf(`${prefix}_${name}`)}.`
      )
  }
  return { id, ...(secret !== undefined && { secret: new Secret(secret) }), scopes: scopes ?? method.scopes }
}

/** The client's id as a variable of the definition, where it has one. */
export function clientVariables(
  env: EnvironmentReader,
  provider: Provider,
  client: OAuthClient | undefined
): { readonly client_id?: string } {
  const placed = client && positionsOf(provider).get('client_id')
  if (!placed) return {}
  const problem = /[{}]/.test(client.id) ? 'must have no braces' : unmetPosition(client.id, placed, false)
  if (problem === undefined) return { client_id: client.id }
  const name = `${variablePrefix(provider)}_CLIENT_ID`
  env.addProblem(
    `${name} ${problem}, because the definition of ${provider.title} places it so. Copy it again, for example ${env.exampleOf(name)}.`
  )
  return {}
}

const isKey = (method: OAuth2Method | undefined): boolean => method?.clientAuthentication === 'private_key_jwt'

/** A client secret is text on one line; where the client signs, it is a private key in PEM, whose lines may be written with `\n`. */
function readSecret(env: EnvironmentReader, name: string, method: OAuth2Method | undefined): string | undefined {
  const text = env.text(name)
  if (text === undefined || !isKey(method)) return text
  const pem = text.includes('\n') ? text : text.replaceAll('\\n', '\n')
  try {
    createPrivateKey(pem)
  } catch {
    // OpenSSL's own message is of no use to an operator, and might have a part of the key.
    env.addProblem(
      `${name} must be a private key in PEM (PKCS #8) with its first and last line, -----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY-----: the client signs with it. Put it into a file, for example ${exampleOfFile(name)}.`
    )
  }
  return pem
}

function checkPublicClient(env: EnvironmentReader, prefix: string, method: OAuth2Method): void {
  const example = exampleOfFile(`${prefix}_CLIENT_SECRET`)
  if (isKey(method)) env.addProblem(`${prefix}_CLIENT_SECRET is missing: the client signs with this private key, for example ${example}.`)
  else if (method.clientAuthentication !== 'none')
    env.addWarning(
      `${prefix}_CLIENT_ID is set without ${prefix}_CLIENT_SECRET: a public client (RFC 6749 §2.1). If the provider has given you a secret, set it, for example ${example}.`
    )
}
