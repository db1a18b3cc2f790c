import type { OAuth2Method, OAuthClient } from '../core/provider/definition.ts'
import { assertionType, signAssertion } from './client-assertion.ts'

/** What one request carries to prove the client. */
type Proof = {
  readonly params: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  /** What a response may repeat and no log may, beside `ClientAuthentication.secrets`. */
  readonly secrets: readonly string[]
}

/** How the operator's client proves itself (RFC 6749 §2.3), in the terms of simple-oauth2 and for requests of our own. */
export type ClientAuthentication = {
  /** simple-oauth2's `client` and a part of its `options`. */
  readonly client: object
  readonly options: object
  /** What simple-oauth2 does not add to its request: a signed assertion. @param audience the token endpoint's URL */
  extra(audience: string): Promise<Pick<Proof, 'params' | 'secrets'>>
  /** All of it, for a request that simple-oauth2 does not send. */
  proof(audience: string): Promise<Proof>
  /** What a definition's `{client_secret}` stands for: never a private key, but what it has signed. Empty for a public client. */
  secret(audience: string): Promise<string>
  /** What a response may repeat and no log may. */
  readonly secrets: readonly string[]
}

export function createClientAuthentication(method: OAuth2Method, client: OAuthClient): ClientAuthentication {
  const { clientAuthentication, clientAssertion, clientIdParameter = 'client_id', clientSecretParameter = 'client_secret' } = method
  const { id } = client
  const isBasic = clientAuthentication === 'basic' || clientAuthentication === 'basic-raw'
  // A public client names itself in the body, whatever the way of those with a secret (RFC 6749 §3.2.1).
  const secret = clientAuthentication === 'none' || clientAssertion ? undefined : client.secret?.reveal()
  const raw = `${id}:${secret}`
  const strict = `${formEncode(id)}:${formEncode(secret ?? '')}`
  const names = { idParamName: clientIdParameter, secretParamName: clientSecretParameter }

  async function extra(audience: string): Promise<Pick<Proof, 'params' | 'secrets'>> {
    if (!clientAssertion) return { params: {}, secrets: [] }
    const assertion = await signAssertion(clientAssertion, client, audience)
    const params = clientAssertion.asSecret
      ? { [clientSecretParameter]: assertion }
      : { client_assertion_type: assertionType, client_assertion: assertion }
    return { params, secrets: [assertion] }
  }

  return {
    client:
      secret === undefined
        ? // simple-oauth2 always sends a secret, at least an empty one, which some servers refuse. The id under the id's own name is what is
          // left to say for a client that has none.
          { id, secret: id, ...names, secretParamName: clientIdParameter }
        : { id, secret, ...names },
    options: {
      authorizationMethod: secret !== undefined && isBasic ? 'header' : 'body',
      credentialsEncodingMode: clientAuthentication === 'basic-raw' ? 'loose' : 'strict'
    },
    extra,

    async proof(audience) {
      if (secret !== undefined && isBasic)
        return {
          params: {},
          headers: { authorization: `Basic ${base64(clientAuthentication === 'basic-raw' ? raw : strict)}` },
          secrets: []
        }
      const params = { [clientIdParameter]: id, ...(secret !== undefined && { [clientSecretParameter]: secret }) }
      const signed = await extra(audience)
      return { params: { ...params, ...signed.params }, headers: {}, secrets: signed.secrets }
    },

    secret: async audience => (clientAssertion ? signAssertion(clientAssertion, client, audience) : (client.secret?.reveal() ?? '')),

    secrets: client.secret === undefined ? [] : [client.secret.reveal(), base64(raw), base64(strict)]
  }
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** RFC 6749 appendix B. */
const formEncode = (text: string) => new URLSearchParams({ '': text }).toString().slice(1)
