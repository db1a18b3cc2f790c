import type { UserPrincipal } from './principal.ts'

/** Bearer tokens of users and service keys of backends. */
export type Bearers = {
  /**
   * @param rawHeaders name, value, name, value, as node:http has them
   * @returns the bearer that a request presents, good or not; `undefined` without one
   * @throws {GatewayError} `token_invalid` for one that is malformed
   */
  read(rawHeaders: readonly string[]): string | undefined
  /**
   * Whom a bearer speaks for. Synchronous for one that is known.
   * @throws {GatewayError} `token_invalid`, `user_required`, `header_rejected`, `issuer_unavailable`
   */
  identify(bearer: string, rawHeaders: readonly string[]): UserPrincipal | Promise<UserPrincipal>
}
