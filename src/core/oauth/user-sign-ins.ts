import { tooManyAccounts } from '../connections/errors.ts'
import { type ConnectionView, connectionView, timestamp } from '../connections/view.ts'
import { GatewayError } from '../errors.ts'
import type { AllowedOrigins } from '../guards/allowed-origins.ts'
import { guardReturnTo } from '../guards/return-to.ts'
import type { ProviderSettings } from '../provider/definition.ts'
import { findProvider } from '../provider/find-provider.ts'
import { asksUsers } from '../provider/parse-parameters.ts'
import type { UserPrincipal } from '../users/principal.ts'
import type { Vault } from '../vault/vault.ts'
import type { ConnectCodes, SignInLink } from './connect-codes.ts'
import type { Revocation } from './revocation.ts'
import { parseFlowParameters, parseSignInParams } from './sign-in-params.ts'

type Dependencies = {
  readonly providers: ReadonlyMap<string, ProviderSettings>
  readonly publicUrl: string
  readonly ownOrigin: string
  readonly allowedOrigins: Pick<AllowedOrigins, 'hasForBearer'>
  readonly connectCodes: ConnectCodes
  readonly vault: Vault
  readonly revocation: Pick<Revocation, 'revoke' | 'revokeReplaced' | 'cancel'>
}

/** As they come in the body of a request, or from an application. */
type RawSignIn = Readonly<Partial<Record<'returnTo' | 'choose' | 'account' | 'loginHint' | 'prompt' | 'scopes' | 'parameters', unknown>>>

export type UserSignIns = {
  /** @throws {GatewayError} `return_to_rejected`, `parameters_invalid` */
  prepare(principal: Pick<UserPrincipal, 'owner' | 'user'>, settings: ProviderSettings, raw: RawSignIn): SignInLink
  /** @returns a URL that works once, for ten minutes, and until when (RFC 3339) */
  issue(link: SignInLink): Promise<{ readonly url: string; readonly expiresAt: string }>
  /**
   * Takes the grant that waits under the code.
   * @throws {GatewayError} `state_invalid`; `user_mismatch`, with the grant revoked, when another user began it; `parameters_invalid` with
   * ten accounts already
   */
  complete(principal: Pick<UserPrincipal, 'owner' | 'user'>, code: unknown): Promise<ConnectionView>
}

/** Sign-ins that a user begins and completes who is known by a bearer or to an application; the browser in between is nobody's. */
export function createUserSignIns(dependencies: Dependencies): UserSignIns {
  const { providers, publicUrl, ownOrigin, allowedOrigins, connectCodes, vault, revocation } = dependencies
  const { links, codes } = connectCodes

  return {
    prepare({ owner, user }, settings, { returnTo, choose, account, loginHint, prompt, scopes, parameters }) {
      const { definition, client } = settings
      if (typeof returnTo !== 'string')
        throw new GatewayError('return_to_rejected', 'returnTo is missing: the URL of your page to which the browser comes back.')
      const params = parseSignInParams({ account, loginHint, prompt, scopes }, client?.scopes ?? [])
      return {
        owner,
        user,
        provider: definition.name,
        returnTo: guardReturnTo(returnTo, ownOrigin, { has: origin => allowedOrigins.hasForBearer(origin) }),
        ...(choose === true && { offersChoice: true as const }),
        ...params,
        // A link to a page of ours may leave them to its form.
        ...(parameters === undefined && !leadsToProvider(settings, choose === true) ? {} : parseFlowParameters(settings, parameters ?? {}))
      }
    },

    async issue(link) {
      const { token, expiresAtMs } = await links.issue(link)
      return { url: `${publicUrl}/start/${token}`, expiresAt: timestamp(expiresAtMs) }
    },

    async complete({ owner, user }, code) {
      const grant = typeof code === 'string' ? await codes.redeem(code) : undefined
      if (!grant) throw codeInvalid()
      const { connection, account, revocation: prepared } = grant
      const settings = findProvider(providers, connection.provider)
      if (grant.owner !== owner) {
        await revocation.revoke(connection)
        throw new GatewayError(
          'user_mismatch',
          'Another user began this sign-in, so the account that was just connected is not yours to use here. Its access was given back. Begin again.',
          { provider: connection.provider }
        )
      }
      // Before the connection is in use: what is not taken from the queue will be revoked.
      if (prepared !== undefined) await revocation.cancel(prepared)
      try {
        const result = await vault.connect(owner, undefined, connection, { account, user })
        if (result.kind !== 'joined') throw tooManyAccounts(settings.definition.title)
        revocation.revokeReplaced(result.replaced, connection)
        return connectionView(settings, { connection: result.stored.value, isDefault: result.isDefault, publicUrl })
      } catch (error) {
        void revocation.revoke(connection)
        throw error
      }
    }
  }
}

/** Whether the link of a sign-in goes to the provider at once, and not to a page with a choice or a question. */
export const leadsToProvider = ({ definition, client }: ProviderSettings, offersChoice: boolean): boolean =>
  client !== undefined && !(offersChoice && (definition.methods.apiKey !== undefined || asksUsers(definition)))

const codeInvalid = () =>
  new GatewayError(
    'state_invalid',
    'This code is unknown, was used before, or is older than ten minutes. Nothing was connected. Begin again.'
  )
