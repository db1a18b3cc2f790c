import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { reconnectDueMs } from '../../src/core/connections/connection.ts'
import { maxAccounts, parseAccount } from '../../src/core/connections/errors.ts'
import { type ConnectionView, connectionViews } from '../../src/core/connections/view.ts'
import { parseReturnTo } from '../../src/core/guards/return-to.ts'
import { parametersIn, parseSignInParams, signInQuery } from '../../src/core/oauth/sign-in-params.ts'
import type { Provider } from '../../src/core/provider/definition.ts'
import { findProvider } from '../../src/core/provider/find-provider.ts'
import { asksUsers } from '../../src/core/provider/parse-parameters.ts'
import type { Invitation } from '../../src/core/vault/invitations.ts'
import type { OwnedConnections } from '../../src/core/vault/owned-connections.ts'
import { labelAccounts } from '../../src/pages/accounts.ts'
import { connectFormScript, connectionsScript, inviteScript, popupScript } from '../../src/pages/assets.ts'
import { connectedUrl, connectMethods } from '../../src/pages/connect-methods.ts'
import { connectionsPage } from '../../src/pages/connections-page.ts'
import type { PageContext } from '../../src/pages/context.ts'
import type { ConnectionCard } from '../../src/pages/parts/connection-card.ts'
import type { Takeover } from '../../src/pages/parts/signed-in.ts'
import { connectedResult, failedResult, type SignInResult } from '../../src/pages/sign-in-result.ts'
import type { Services } from '../../src/services.ts'
import { sendPage } from '../send-page.ts'
import { sendConnectPage } from './send-connect-page.ts'

type Options = Pick<
  Services,
  'providers' | 'site' | 'pageContexts' | 'publicUrl' | 'publicOrigin' | 'basePath' | 'allowedOrigins' | 'limits' | 'vault' | 'invitations'
>
type Query = { connected?: unknown; connect_error?: unknown; provider?: unknown; account?: unknown }
/** The parameters of the provider's definition too, by their names. */
type ConnectQuery = { return_to?: unknown; account?: unknown; login_hint?: unknown; prompt?: unknown; scopes?: unknown }
type ConnectRoute = { Params: { provider: string }; Querystring: ConnectQuery }

/** The Connections page, the page of one provider, and the assets of all pages. */
async function pages(app: FastifyInstance, options: Options) {
  const {
    providers,
    site,
    pageContexts,
    publicUrl,
    publicOrigin,
    basePath,
    allowedOrigins,
    limits,
    vault,
    invitations: invitationService
  } = options

  app.get<{ Querystring: Query }>('/', { config: { signInFirst: true } }, async (request, reply) => {
    const opened = await request.openConnections(reply)
    const views = connectionViews(providers, opened?.connections, publicUrl)
    const cards = [...Map.groupBy(views, ({ provider }) => provider)].flatMap(([name, ofProvider]) => {
      const settings = providers.get(name)
      return settings ? [cardOf(settings.definition, ofProvider, opened?.connections)] : []
    })
    const session = opened?.session?.value
    const user = opened?.user && { id: opened.user.id, name: opened.user.name, hasSession: session !== undefined }
    const sessionExpiry =
      session && !user
        ? { idleMs: limits.idleMs, notBeforeMs: session.extendedUntilMs, latestMs: session.createdAtMs + limits.maxMs }
        : undefined
    const open = opened ? await invitationService.list(opened.owner) : []
    const takeover = session?.takeover === undefined ? undefined : await takeoverFrom(session.takeover)
    return sendPage(reply, pageContexts, context => {
      const invitations = open.map(invitation => ({ invitation, title: titleOf(context, invitation, views) }))
      const signInResult = signInResultOf(context, request.query, views, providers)
      return connectionsPage(context, { cards, invitations, signInResult, sessionExpiry, user, takeover })
    })
  })

  /** What the browser had connected before its user signed in, and was not asked about yet. */
  async function takeoverFrom(owner: string): Promise<Takeover | undefined> {
    const titles = (await vault.connectedProviders(owner)).map(name => providers.get(name)?.definition.title ?? name)
    return titles.length > 0 ? { titles } : undefined
  }

  /** What an invitation is for. */
  function titleOf(context: PageContext, { provider, account }: Invitation, views: readonly ConnectionView[]): string {
    const title = providers.get(provider)?.definition.title ?? provider
    if (account === 'add') return context.messages.invitations.anotherAccount(title)
    const accounts = labelAccounts(
      context,
      views.filter(view => view.provider === provider).map(view => ({ view }))
    )
    const label = accounts.length > 1 ? accounts.find(({ view }) => view.id === account)?.label : undefined
    return label === undefined ? title : context.messages.account.named(title, label)
  }

  function cardOf(provider: Provider, views: readonly ConnectionView[], connections: OwnedConnections | undefined): ConnectionCard {
    const asksFirst = asksUsers(provider)
    const accounts = views.map(view => {
      const connection = connections?.get(provider.name, view.id)?.value
      return {
        view,
        connectMethods: connectMethods(view, site, { account: view.id, asksFirst }),
        endsAtMs: connection && reconnectDueMs(connection)
      }
    })
    const [first] = views
    const canAdd = first?.id !== undefined && views.length < maxAccounts
    return { provider, accounts, addMethods: canAdd ? connectMethods(first, site, { account: 'add', asksFirst }) : [] }
  }

  app.get<ConnectRoute>('/connect/:provider', { config: { signInFirst: true } }, async (request, reply) => {
    const settings = findProvider(providers, request.params.provider)
    const { name } = settings.definition
    const { return_to, account: rawAccount, login_hint: loginHint, prompt, scopes } = request.query
    const account = parseAccount(rawAccount)
    const returnTo = parseReturnTo(return_to, connectedUrl(name, basePath, account), publicOrigin.origin, allowedOrigins)
    // Only for the sign-in: a page with a key's form alone makes nothing of it.
    const signIn = settings.client ? parseSignInParams({ account, loginHint, prompt, scopes }, settings.client.scopes) : {}
    const given = parametersIn(request.query, settings)
    return sendConnectPage(options, request, reply, name, { returnTo, account, signInQuery: signInQuery(signIn), given })
  })

  for (const asset of [connectionsScript, inviteScript, connectFormScript, popupScript, ...pageContexts.assets]) {
    app.get(asset.url, (_request, reply) =>
      reply.type(asset.type).header('cache-control', 'public, max-age=31536000, immutable').send(asset.body)
    )
  }
}

function signInResultOf(
  context: PageContext,
  { connected, connect_error: code, provider, account }: Query,
  views: readonly ConnectionView[],
  providers: Options['providers']
): SignInResult | undefined {
  if (typeof code !== 'string') {
    const newest = views
      .filter(view => view.provider === connected)
      .sort((a, b) => (b.connectedAt ?? '').localeCompare(a.connectedAt ?? ''))[0]
    return newest && connectedResult(context, newest)
  }
  const ofProvider = views.filter(view => view.provider === provider)
  const meant = typeof account === 'string' ? ofProvider.find(({ id }) => id === account) : undefined
  const view = meant ?? ofProvider[0]
  const definition = view && providers.get(view.provider)?.definition
  const asksFirst = definition !== undefined && asksUsers(definition)
  return view && failedResult(context, view, code, { account: meant?.id ?? (account === 'add' ? account : undefined), asksFirst })
}

export default fp(pages, { name: 'pages', dependencies: ['session', 'session-delivery', 'errors'], encapsulate: true })
