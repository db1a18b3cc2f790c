import type { FastifyBaseLogger } from 'fastify'
import { variablePrefix } from '../../../src/config/variable-prefix.ts'
import type { Flow } from '../../../src/core/flow.ts'
import { signInInvalid } from '../../../src/core/oauth/complete-sign-in.ts'
import type { OAuth2Method, Provider } from '../../../src/core/provider/definition.ts'
import { resolveDefinition } from '../../../src/core/provider/resolve-definition.ts'
import { variablesIn } from '../../../src/core/provider/template.ts'

/** Any issuer can be put into a callback: at most this many are logged, each once. */
const maxLogged = 20
const maxCharacters = 200

/**
 * RFC 9207 §2.4. Without an issuer in the definition, an `iss` of another origin than its endpoints' is still refused.
 * @returns a check of a callback's `iss`, which throws `state_invalid`
 */
export function createIssuerCheck(log: FastifyBaseLogger, provider: Provider, method: OAuth2Method) {
  const logged = new Set<string>()

  return (iss: string | undefined, { parameters = {} }: Flow): void => {
    const { issuer, authorizeUrl, tokenUrl } = resolveDefinition(provider, parameters).methods.oauth2 ?? method
    // One that depends on what the callback says proves nothing.
    const origins = [authorizeUrl, tokenUrl].flatMap(url => (variablesIn(url).length === 0 ? new URL(url).origin : []))
    const isTrusted = issuer === undefined ? iss === undefined || origins.some(origin => origin === URL.parse(iss)?.origin) : iss === issuer
    if (isTrusted) return
    const seen = loggableIssuer(iss)
    if (!logged.has(seen) && logged.size < maxLogged) {
      logged.add(seen)
      const variable = `${variablePrefix(provider)}_ISSUER`
      log.warn(
        { provider: provider.name, seen, expected: issuer ?? origins, variable },
        `a callback with another issuer than the provider's was refused; if it is the provider's own, set ${variable} to it`
      )
    }
    throw signInInvalid('The response does not come from the provider at which the sign-in was started.')
  }
}

/** RFC 8414 §2: an https URL without query and fragment. Nothing else is logged. */
function loggableIssuer(iss: string | undefined): string {
  if (iss === undefined) return 'none'
  const url = URL.parse(iss)
  if (!url || !/^https?:$/.test(url.protocol)) return 'no URL'
  const { origin, pathname } = url
  return (iss === origin ? iss : origin + pathname).slice(0, maxCharacters)
}
