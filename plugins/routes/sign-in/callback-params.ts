import type { FastifyRequest } from 'fastify'
import { type CallbackParams, signInInvalid } from '../../../src/core/oauth/complete-sign-in.ts'

/**
 * @returns the parameters, and the provider's own description of an error, for the log alone
 * @throws {GatewayError} `state_invalid` when a parameter is given twice (RFC 6749 §3.1)
 */
export function parseCallbackParams(request: FastifyRequest): CallbackParams & { readonly description: unknown } {
  const query = request.query as Record<string, string | string[] | undefined>
  const single = (name: string): string | undefined => {
    const value = query[name]
    if (Array.isArray(value)) throw signInInvalid(`The provider's response holds ${name} twice.`)
    return value === '' ? undefined : value
  }
  return {
    state: single('state'),
    code: single('code'),
    error: single('error'),
    iss: single('iss'),
    query,
    description: query.error_description
  }
}

/** Installed from a vendor's marketplace: nobody here asked for that code, so it may be an attacker's (RFC 9700 §4.7). */
export const unsolicitedNotice = (title: string): string =>
  `${title} sent you here with an access that this site did not ask for, so it is not used, and nothing has changed. Connect ${title} here to finish.`
