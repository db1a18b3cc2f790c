import type { FastifyRequest } from 'fastify'
import { GatewayError } from '../../../src/core/errors.ts'

export type CallbackParams = Partial<Record<'state' | 'code' | 'error' | 'iss', string>> & {
  /** The provider's own words, for the log alone. */
  readonly description: unknown
}

/** @throws {GatewayError} `state_invalid` when a parameter is given twice (RFC 6749 §3.1). */
export function parseCallbackParams(request: FastifyRequest): CallbackParams {
  const query = request.query as Record<string, string | string[] | undefined>
  const single = (name: string): Record<string, string> => {
    const value = query[name]
    if (Array.isArray(value)) throw invalid(`Its answer holds ${name} twice.`)
    return value === undefined || value === '' ? {} : { [name]: value }
  }
  return { ...single('state'), ...single('code'), ...single('error'), ...single('iss'), description: query.error_description }
}

export const invalid = (why: string) => new GatewayError('state_invalid', `${why} Nothing was connected. Go back and connect again.`)

/** A callback whose state is none of this browser's: what may have kept it from being one. */
export function unknownState(request: FastifyRequest, host: string): GatewayError {
  const nothing = 'Nothing was connected.'
  return new GatewayError(
    'state_invalid',
    // A browser with a sign-in under way has at least that cookie.
    request.headers.cookie === undefined
      ? `This browser sent no cookie: it blocks them, or it is another one than the sign-in was begun in. ${nothing} Allow cookies for ${host} and start again.`
      : `It was begun in another browser, or too long ago, or it has been finished already. ${nothing} Start again.`
  )
}

/** Installed from a vendor's marketplace: nobody here asked for that code, so it may be anybody's (RFC 9700 §4.7). */
export const unsolicitedNotice = (title: string): string =>
  `${title} sent you here with an access that this site did not ask for, so it is not used, and nothing has changed. Connect ${title} here to finish.`
