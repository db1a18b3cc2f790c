import type { ApiKeyMethod, Provider } from '../core/provider/definition.ts'
import { learnValues } from '../core/provider/learn-values.ts'
import { parseParameter } from '../core/provider/parse-parameters.ts'
import { anyCall, callUntilEnded, checkCalls } from './calls.ts'
import { expectSame, expectThat } from './problem.ts'
import type { Stage, Step } from './stage.ts'
import { createUser } from './user.ts'

/** Whose data the sandbox's key gives access to. */
const owner = 'ada@example.com'
/** The gateway renews a minute ahead, a short token after half of its life. */
const maxAheadMs = 30_000
const manyCalls = 1_000
/** The gateway's check of the key takes a second look. */
const maxCalls = 8

/** What holds for a key, in the order of a connection's life. */
export function keyStory(stage: Stage): Step[] {
  const { definition, vendor, clock } = stage
  const { title, name, parameters = {} } = definition
  const user = createUser(stage)
  const method = definition.methods.apiKey as ApiKeyMethod
  const call = anyCall(definition, 'apiKey')
  let id: string | undefined

  const withoutExchange = () => (method.tokenRequest ? undefined : `A key of ${title} is used as it is.`)

  /** @returns what the vendor has counted of one call */
  async function counted() {
    const [tokens, api] = [vendor.counts.tokenRequests.key ?? 0, vendor.counts.apiCalls]
    await user.call(call)
    return { tokens: (vendor.counts.tokenRequests.key ?? 0) - tokens, api: vendor.counts.apiCalls - api }
  }

  async function connect(options: Parameters<typeof user.giveKey>[1] = {}): Promise<void> {
    const { status, text } = await user.giveKey(vendor.fields, options)
    expectThat(status === 201, `the key was not connected: ${status} ${text}`)
  }

  return [
    {
      title: 'a wrong key is refused and nothing stored',
      without: () => (method.check || method.tokenRequest || method.lookup ? undefined : `${title} is not asked whether a key is right.`),
      async run() {
        const { status, code, text } = await user.giveKey({ ...vendor.fields, key: wrongKey(definition, vendor.apiKey) })
        expectThat(code === 'api_key_rejected', `a wrong key was not refused: ${status} ${text}`)
        expectSame(status, 422, 'the status of a refused key')
        expectSame(
          (await user.connections()).map(one => one.status),
          ['disconnected'],
          'the status of the provider'
        )
      }
    },
    {
      title: 'a key is connected, and the connection says whose it is',
      async run() {
        await connect()
        const view = await user.connection()
        id = view.id
        expectSame([view.status, view.method], ['connected', 'api_key'], 'status and method')
        // Of some vendors the sandbox has invented data, with another name.
        expectSame(view.account !== undefined, method.account?.name !== undefined, 'whether the account has a name')
        const asked = { ...parameters, ...method.fields }
        const { key: _, ...beside } = { ...vendor.parameters, ...vendor.fields }
        const visible = Object.entries(beside).filter(([field]) => !asked[field]?.secret)
        expectSame(view.parameters ?? {}, Object.fromEntries(visible), 'parameters and fields')
      }
    },
    {
      title: 'a call reaches the API with the key where it belongs',
      async run() {
        const echo = await checkCalls(user, definition, 'apiKey')
        expectSame(echo.account, owner, 'the account that the API sees')
      }
    },
    {
      title: 'a call with a key reaches each other base of the API',
      without: ({ api }) => (api.bases ? undefined : `The API of ${title} has one base.`),
      async run() {
        for (const base of Object.keys(definition.api.bases ?? {})) await checkCalls(user, definition, 'apiKey', base)
      }
    },
    {
      title: 'the key gets another token when one ends, by one request',
      without: withoutExchange,
      async run() {
        vendor.expireAccessTokens()
        expectSame((await counted()).tokens, 1, 'token requests of a call that the API refuses')
        const { expiresAt } = await user.connection()
        if (expiresAt === undefined) return
        const leftMs = Date.parse(expiresAt) - clock.now()
        clock.advance(leftMs - Math.min(maxAheadMs, leftMs / 4))
        vendor.expireAccessTokens()
        expectSame(await counted(), { tokens: 1, api: 1 }, 'token requests and API calls of a call at the end of a token')
      }
    },
    {
      title: 'a key that has ended asks to be connected again',
      async run() {
        vendor.expireAccessTokens()
        vendor.switches.unauthorizedCalls = manyCalls
        if (method.tokenRequest) vendor.switches.tokenFault = 'invalid-client'
        await callUntilEnded(user, definition, 'apiKey', maxCalls)
        vendor.switches.unauthorizedCalls = 0
        vendor.switches.tokenFault = undefined
        expectSame((await user.connection()).status, 'reconnect_required', 'the status of the connection')
      }
    },
    {
      title: 'the key connects it again',
      async run() {
        // A known account is replaced, even where another is asked for.
        await connect({ adds: method.account?.id !== undefined, asAddresses: true })
        const again = await user.connection()
        expectSame(again.status, 'connected', 'the status of the connection')
        if (method.account?.id !== undefined) expectSame(again.id, id, 'the id of the connection')
        await user.call(call)
      }
    },
    {
      title: 'a key that the user disconnects is gone',
      async run() {
        expectSame((await user.send('DELETE', `/connections/${name}`)).status, 204, 'the status of a disconnection')
        expectSame((await user.request(call)).code, 'connection_required', 'the error of a call')
      }
    }
  ]
}

/** Another key of the same form: with one other letter or digit. */
function wrongKey(definition: Provider, key: string): string {
  const { fields, values } = definition.methods.apiKey ?? {}
  const isOfForm = (candidate: string): boolean => {
    if (fields?.key && 'problem' in parseParameter(definition, 'key', { ...fields.key, secret: true }, candidate)) return false
    try {
      learnValues(definition, values, 'key', candidate)
      return true
    } catch {
      return false
    }
  }
  const isLearntAlike = (candidate: string): boolean =>
    JSON.stringify(learnValues(definition, values, 'key', candidate)) === JSON.stringify(learnValues(definition, values, 'key', key))
  expectThat(isOfForm(key), 'the example of the key has not the form that its pattern, or a value that is read from it, says')
  const places = [...key].map((_, index) => (index + Math.floor(key.length / 2)) % key.length)
  const candidates = places.map(place => key.slice(0, place) + otherThan(key[place] ?? '') + key.slice(place + 1))
  const found = candidates.find(candidate => candidate !== key && isOfForm(candidate) && isLearntAlike(candidate))
  expectThat(found, 'there is no other key of this form')
  return found
}

function otherThan(character: string): string {
  if (/[0-9]/.test(character)) return character === '1' ? '2' : '1'
  if (/[a-f]/.test(character)) return character === 'a' ? 'b' : 'a'
  if (/[g-z]/.test(character)) return character === 'x' ? 'y' : 'x'
  return /[A-Z]/.test(character) ? (character === 'A' ? 'B' : 'A') : character
}
