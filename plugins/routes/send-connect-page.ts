import type { FastifyReply, FastifyRequest } from 'fastify'
import { connectionUnknown, maxAccounts, tooManyAccounts } from '../../src/core/connections/errors.ts'
import { connectionViews } from '../../src/core/connections/view.ts'
import type { GatewayError } from '../../src/core/errors.ts'
import { findProvider } from '../../src/core/provider/find-provider.ts'
import { asksUsers } from '../../src/core/provider/parse-parameters.ts'
import { addAccountUrl, connectMethods } from '../../src/pages/connect-methods.ts'
import { connectPage } from '../../src/pages/connect-page.ts'
import type { Services } from '../../src/services.ts'
import { sendPage } from '../send-page.ts'

type ConnectPageOptions = {
  returnTo: string
  /** `add` for one more account, or the id of the connection to make anew; nothing for the default one. */
  account?: string | undefined
  /** The provider has sent the user here with an access that nobody asked for. */
  isUnsolicited?: boolean
  /** Goes on to the sign-in. */
  signInQuery?: Readonly<Record<string, string>>
  /** For the provider's parameters, of whatever type. */
  given?: Readonly<Record<string, unknown>>
  /** Why `given` was refused. */
  problem?: GatewayError
}

/**
 * The page with the connect methods of one provider. It names the account that is connected already, because another would replace it, and its
 * forms are filled with what was given for them, or for that account.
 * @throws {GatewayError} `connection_unknown` for the id of no connection to this provider, `parameters_invalid` for one account too many
 */
export async function sendConnectPage(
  { providers, site, pageContexts }: Pick<Services, 'providers' | 'site' | 'pageContexts'>,
  request: FastifyRequest,
  reply: FastifyReply,
  provider: string,
  { returnTo, account, isUnsolicited = false, signInQuery = {}, given = {}, problem }: ConnectPageOptions
): Promise<FastifyReply> {
  const settings = findProvider(providers, provider)
  const { definition } = settings
  const opened = await request.openConnections(reply)
  const views = connectionViews(new Map([[definition.name, settings]]), opened?.connections, site.publicUrl)
  const accounts = views.filter(({ id }) => id !== undefined).map(view => ({ view }))
  const canAdd = accounts.length < maxAccounts
  if (account === 'add' && !canAdd) throw tooManyAccounts(definition.title)
  const view = views.find(({ id }) => account === undefined || account === 'add' || id === account)
  if (!view) throw connectionUnknown(definition.name)
  if (problem) reply.code(problem.status).header('grantkeeper-error', problem.code)
  return sendPage(
    reply,
    pageContexts,
    context =>
      connectPage(context, definition, {
        connectMethods: connectMethods(view, site, { returnTo, account, signInQuery }),
        returnTo,
        account,
        accounts,
        addUrl: canAdd ? addAccountUrl(definition.name, site, returnTo) : undefined,
        user: opened?.user && { id: opened.user.id, name: opened.user.name, hasSession: opened.session !== undefined },
        isUnsolicited,
        prefill: { values: { ...(account !== 'add' && view.parameters), ...textsOf(given) }, invalid: problem?.parameter }
      }),
    { formsLeave: asksUsers(definition) }
  )
}

/** What was given once, as text. */
export const textsOf = (given: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
