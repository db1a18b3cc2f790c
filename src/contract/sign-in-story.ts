import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectionView } from '../core/connections/view.ts'
import type { OAuth2Method, Provider } from '../core/provider/definition.ts'
import { isRenewedByItself, requestVariables } from '../core/provider/request-variables.ts'
import { anyCall, callUntilEnded, checkCalls } from './calls.ts'
import { expectSame, expectThat } from './problem.ts'
import type { Stage, Step } from './stage.ts'
import { createUser } from './user.ts'

const first = 'ada@example.com'
const second = 'grace@example.com'

/** Calls at once, of which one alone may renew. */
const callsAtOnce = 3
/** A refusal, and others that come after the gateway's own check or its record of the first. */
const callsWithoutRenewal = 8
/** The gateway renews a minute ahead, a short token after half of its life. */
const maxAheadMs = 30_000
const toleranceMs = 15_000

/** What holds for a sign-in, in the order of a connection's life. */
export function signInStory(stage: Stage): Step[] {
  const { definition, vendor, clock, maxWaitMs = 10_000 } = stage
  const { title, name } = definition
  const user = createUser(stage)
  const { parameters = {} } = definition
  const call = anyCall(definition, 'oauth2')
  const methodOf = ({ methods }: Provider): OAuth2Method => methods.oauth2 as OAuth2Method
  const method = methodOf(definition)
  const hasAccountId = method.account?.id !== undefined
  const isRenewedAlone = method.refreshRequest !== undefined && isRenewedByItself(method.refreshRequest)
  /** By the vendor's clock, ahead of which the gateway's is from the first renewal on. */
  const hasDates = (method.tokenResponse?.expiresAt ?? method.refreshResponse?.expiresAt) !== undefined
  let connected: (ConnectionView & { readonly id: string }) | undefined

  const withoutRenewal = () => (method.tokens?.refreshToken === 'none' && !isRenewedAlone ? `${title} has no refresh tokens.` : undefined)
  const withoutAccountId = () => (hasAccountId ? undefined : `${title} says no id of an account.`)

  /** Runs calls at once. @returns what the vendor has counted */
  async function counted(calls: number) {
    const before = { tokens: vendor.counts.tokenRequests.refresh_token ?? 0, api: vendor.counts.apiCalls }
    const echoes = await Promise.all(Array.from({ length: calls }, () => user.call(call)))
    const { tokenRequests, apiCalls } = vendor.counts
    return { echoes, tokens: (tokenRequests.refresh_token ?? 0) - before.tokens, api: apiCalls - before.api }
  }

  async function expectRevoked(email: string): Promise<void> {
    const endsAtMs = performance.now() + maxWaitMs
    while (vendor.accounts().includes(email) && performance.now() < endsAtMs) await sleep(2)
    expectThat(!vendor.accounts().includes(email), `the vendor was not asked to revoke the grant of ${email}, or did not understand it`)
  }

  const isRevocable =
    method.revokeRequest === undefined
      ? method.revokeUrl !== undefined
      : method.tokens?.refreshToken !== 'none' || !requestVariables(method.revokeRequest).has('refresh_token')

  return [
    {
      title: 'a user signs in and is asked for the scopes',
      async run() {
        const asked = await user.signIn({ email: first })
        // The page of a single scope has nothing to choose from.
        expectSame(asked, method.scopes.length > 1 ? [...method.scopes] : [], 'the scopes on the consent page')
      }
    },
    {
      title: 'the connection says whose it is, and what it may do until when',
      async run() {
        connected = await user.connection()
        const { status, account, scopes = [], parameters: shown = {} } = connected
        expectSame([status, connected.method], ['connected', 'oauth2'], 'status and method')
        expectSame(account, method.account?.name === undefined ? undefined : first, 'the account’s name')
        expectSame([...scopes], [...method.scopes], 'the scopes')
        expectSame(connected.missingScopes ?? [], [], 'the scopes that are missing')
        const visible = Object.entries(vendor.parameters).filter(([parameter]) => !parameters[parameter]?.secret)
        expectSame(shown, Object.fromEntries(visible), 'the parameters')
        expectExpiry(connected.expiresAt)
      }
    },
    {
      title: 'a call reaches the API with the credential where it belongs',
      async run() {
        const echo = await checkCalls(user, definition, 'oauth2')
        expectSame(echo.account, first, 'the account that the API sees')
      }
    },
    {
      title: 'a call reaches each other base of the API',
      without: ({ api }) => (api.bases ? undefined : `The API of ${title} has one base.`),
      async run() {
        for (const base of Object.keys(definition.api.bases ?? {})) await checkCalls(user, definition, 'oauth2', base)
      }
    },
    {
      title: 'the user chooses another one of what the vendor lists',
      without: () => (method.lookup?.choose ? undefined : `${title} lists nothing to choose from.`),
      async run() {
        const before = await user.call(call)
        const { id, choice } = await user.connection()
        expectSame(choice?.title, method.lookup?.choose?.title, 'what there is to choose')
        const other = choice?.options.find(({ value }) => value !== choice.value)
        expectThat(other, 'there is one option alone')
        const { status, text } = await user.send('PUT', `/connections/${name}/${id}/choice`, { value: other.value })
        expectThat(status === 200, `the choice was refused with ${status}: ${text}`)
        expectSame((await user.connection()).choice?.value, other.value, 'the chosen value')
        const after = await user.call(call)
        const isUsed = Object.keys(method.values ?? {}).some(value => value in before.parameters)
        expectThat(!isUsed || JSON.stringify(before.parameters) !== JSON.stringify(after.parameters), 'calls did not follow the choice')
      }
    },
    {
      title: 'a token is renewed before it expires, by one request',
      without: () => withoutRenewal() ?? (lifetimeMs() === undefined ? `The access tokens of ${title} do not expire.` : undefined),
      async run() {
        const { expiresAt } = await user.connection()
        expectThat(expiresAt, 'the connection does not say any more when its token expires')
        const leftMs = Date.parse(expiresAt) - clock.now()
        clock.advance(leftMs - Math.min(maxAheadMs, leftMs / 4))
        // A token that is renewed with itself must still be good.
        if (!isRenewedAlone) vendor.expireAccessTokens()
        expectSame(pick(await counted(1)), { tokens: 1, api: 1 }, 'token requests and API calls of a call at the end of a token')
        expectSame(pick(await counted(1)), { tokens: 0, api: 1 }, 'token requests and API calls of the next call')
        if (!hasDates) expectExpiry((await user.connection()).expiresAt)
      }
    },
    {
      title: 'a token that the API refuses is renewed by one request, and the call sent again',
      without: withoutRenewal,
      async run() {
        // One that has expired does not renew itself. The API refuses it once, whoever calls first.
        if (isRenewedAlone) vendor.switches.unauthorizedCalls = 1
        else vendor.expireAccessTokens()
        const { echoes, tokens } = await counted(isRenewedAlone ? 1 : callsAtOnce)
        expectSame(tokens, 1, 'token requests of calls at once')
        expectSame(new Set(echoes.map(({ account }) => account)), new Set([first]), 'the accounts that the API sees')
        expectSame(pick(await counted(1)), { tokens: 0, api: 1 }, 'token requests and API calls of the next call')
      }
    },
    {
      title: 'a grant that has ended asks to be connected again',
      async run() {
        vendor.revokeGrants()
        // A refused renewal says it at once. Without one it takes a second look.
        await callUntilEnded(user, definition, 'oauth2', withoutRenewal() || isRenewedAlone ? callsWithoutRenewal : 1)
        expectSame((await user.connection()).status, 'reconnect_required', 'the status of the connection')
      }
    },
    {
      title: 'a new sign-in connects it again',
      async run() {
        await user.signIn({ email: first, asAddresses: true })
        const again = await user.connection()
        expectSame(again.status, 'connected', 'the status of the connection')
        if (hasAccountId) expectSame(again.id, connected?.id, 'the id of the connection')
        expectSame((await user.call(call)).account, first, 'the account that the API sees')
      }
    },
    {
      title: 'a sign-in of an account that is connected replaces its connection, which goes on',
      without: withoutAccountId,
      async run() {
        const before = vendor.counts.revocations
        await user.signIn({ email: first, adds: true })
        // What is replaced is revoked after the browser is back.
        const endsAtMs = performance.now() + maxWaitMs
        const isRevoked = () => vendor.counts.revocations > before
        while (isRevocable && method.revocation === 'token' && !isRevoked() && performance.now() < endsAtMs) await sleep(2)
        expectSame((await user.connection()).id, connected?.id, 'the id of the connection')
        const sent = pick(await counted(1))
        if (!hasDates) expectSame(sent, { tokens: 0, api: 1 }, 'token requests and API calls of a call')
      }
    },
    {
      title: 'a second account is connected beside it, and calls choose one by its id',
      without: withoutAccountId,
      async run() {
        await user.signIn({ email: second, adds: true })
        const views = await user.connections()
        const [ofFirst, ofSecond] = [connected?.id, views.find(({ id }) => id !== connected?.id)?.id]
        expectThat(
          views.length === 2 && ofFirst !== undefined && ofSecond !== undefined,
          `there are ${views.length} connections instead of two`
        )
        if (method.account?.name !== undefined)
          expectSame(
            views.map(({ account }) => account),
            [first, second],
            'the accounts’ names'
          )
        for (const [id, email] of [
          [ofSecond, second],
          [ofFirst, first]
        ] as const) {
          expectSame(
            (await user.call({ ...call, segment: `${name}@${id}` })).account,
            email,
            'the account of a call with an id in its path'
          )
          const byHeader = await user.call({ ...call, headers: { 'grantkeeper-connection': id } })
          expectSame(byHeader.account, email, 'the account of a call with an id in a header')
        }
        const { status } = await user.send('DELETE', `/connections/${name}/${ofSecond}`)
        expectSame(status, 204, 'the status of a disconnection')
        if (isRevocable) await expectRevoked(second)
        expectSame((await user.call(call)).account, first, 'the account of the other connection')
      }
    },
    {
      title: 'what the user disconnects is revoked at the vendor',
      without: () => (isRevocable ? undefined : `${title} has no revocation.`),
      async run() {
        expectThat(vendor.accounts().includes(first), 'the vendor has no grant any more before the disconnection')
        await disconnect()
        await expectRevoked(first)
      }
    },
    {
      title: 'what the user disconnects is gone',
      async run() {
        if (!isRevocable) await disconnect()
        expectSame(
          (await user.connections()).map(({ status }) => status),
          ['disconnected'],
          'the status of the provider'
        )
        expectSame((await user.request(call)).code, 'connection_required', 'the error of a call')
      }
    }
  ]

  async function disconnect(): Promise<void> {
    const { status, text } = await user.send('DELETE', `/connections/${name}`)
    expectThat(status === 204, `the disconnection returned ${status}: ${text}`)
  }

  /** As the vendor sends it, or as the definition assumes. */
  function lifetimeMs(): number | undefined {
    const { defaultExpiresIn, expiresIn, expiresAt } = method.tokenResponse ?? {}
    const isSaid = defaultExpiresIn === undefined || expiresIn !== undefined || expiresAt !== undefined
    const seconds = (isSaid ? vendor.switches.accessTokenSeconds : undefined) ?? defaultExpiresIn
    return seconds === undefined ? undefined : seconds * 1000
  }

  function expectExpiry(expiresAt: string | undefined): void {
    const expectedMs = lifetimeMs()
    if (expectedMs === undefined) {
      expectSame(expiresAt, undefined, 'the end of the token')
      return
    }
    expectThat(expiresAt, 'the connection does not say when its token expires')
    const actualMs = Date.parse(expiresAt) - clock.now()
    expectThat(
      Math.abs(actualMs - expectedMs) < toleranceMs,
      `the token lasts for ${Math.round(actualMs / 1000)} seconds instead of ${expectedMs / 1000}`
    )
  }
}

const pick = ({ tokens, api }: { readonly tokens: number; readonly api: number }) => ({ tokens, api })
