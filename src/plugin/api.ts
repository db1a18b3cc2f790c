import { checkAccount } from '../core/connections/check-account.ts'
import { parseAccount } from '../core/connections/errors.ts'
import { connectionViews } from '../core/connections/view.ts'
import { findProvider } from '../core/provider/find-provider.ts'
import { invitationUrl, invitationView, parseInviterName, wantedConnection } from '../core/vault/invitations.ts'
import type { Services } from '../services.ts'
import { createFetch } from './fetch.ts'
import type { Grantkeeper } from './types.ts'

type Options = Parameters<typeof createFetch>[0] & Pick<Services, 'userSignIns' | 'disconnect' | 'invitations'>

/** What an application does for its users, by the same use cases as the routes. */
export function createApi(options: Options): Omit<Grantkeeper, 'at'> {
  const { principalOf, providers, publicUrl, vault, userSignIns, disconnect, invitations } = options

  return {
    fetch: createFetch(options),

    async connections(user) {
      const opened = await vault.openAll(await principalOf(user))
      return connectionViews(providers, opened?.connections, publicUrl)
    },

    async disconnect(user, provider, account) {
      const { owner } = await principalOf(user)
      await disconnect(owner, findProvider(providers, provider).definition.name, account)
    },

    async connectLink(user, provider, options) {
      const principal = await principalOf(user)
      const settings = findProvider(providers, provider)
      const link = userSignIns.prepare(principal, settings, options)
      if (link.account !== undefined) checkAccount((await vault.openAll(principal))?.connections, settings.definition, link.account)
      return userSignIns.issue(link)
    },

    async completeConnect(user, code) {
      return userSignIns.complete(await principalOf(user), code)
    },

    async invite(user, provider, { name, account } = {}) {
      const principal = await principalOf(user)
      const { definition } = findProvider(providers, provider)
      const wanted = wantedConnection({
        provider: definition.name,
        name: parseInviterName(name),
        account: parseAccount(account),
        user: principal.user
      })
      if (wanted.account !== undefined) checkAccount((await vault.openAll(principal))?.connections, definition, wanted.account)
      const { invitation, token } = await invitations.create(principal.owner, wanted)
      return { ...invitationView(invitation), url: invitationUrl(publicUrl, token) }
    }
  }
}
