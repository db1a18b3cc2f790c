import { readAccount } from '../connections/account.ts'
import { type Connection, connectionFromKey, type Grant, newConnectionId } from '../connections/connection.ts'
import { definitionOf, variablesOf } from '../connections/connection-definition.ts'
import { GatewayError } from '../errors.ts'
import { guardPath } from '../guards/path.ts'
import type { Revocation } from '../oauth/revocation.ts'
import type { KeyExchange } from '../oauth/token-endpoint.ts'
import { TokenEndpointError } from '../oauth/token-response.ts'
import type { Clock } from '../ports.ts'
import type { CredentialCheck, Provider, ProviderSettings } from '../provider/definition.ts'
import { LearntValueError, learnValues } from '../provider/learn-values.ts'
import type { Parameter } from '../provider/parameter.ts'
import { parameterInvalid, parseParameter, parseParameters } from '../provider/parse-parameters.ts'
import type { Placement } from '../provider/request-template.ts'
import { partialDefinition } from '../provider/resolve-definition.ts'
import { isObject } from '../provider/rules.ts'
import { isResolved, type Variables } from '../provider/template.ts'
import { Secret } from '../secret.ts'
import { retryAtMs } from '../util/retry-after.ts'
import { sendCheckRequest } from './check-request.ts'
import { isRequestable } from './get-document.ts'
import { type IntendedPlace, LookupRefusedError, type Lookups } from './lookup.ts'
import { describeMalformedKey, unwrapPastedKey } from './pasted-key.ts'
import type { ResponseHead, Send } from './upstream.ts'

/** Some vendors' keys are signed tokens of more than a kilobyte. */
const maxKeyLength = 4096
/** With the text around the key. */
const maxPastedLength = 2 * maxKeyLength

/**
 * Extracts the key from text that a user pasted.
 * @throws {GatewayError} `api_key_malformed`, with a description of the mistake that never contains the key
 */
export function parseApiKey(pasted: unknown, provider: string): Secret {
  const malformed = (why: string) => new GatewayError('api_key_malformed', why, { provider, parameter: 'key' })
  if (typeof pasted !== 'string') throw malformed('Send {"apiKey":"…"} with the key as text.')
  // Before any regular expression runs on it.
  if (pasted.length > maxPastedLength) throw malformed(`The key is longer than ${maxKeyLength} characters. Copy the key alone.`)
  const key = unwrapPastedKey(pasted)
  // Headers and URLs take no other characters.
  const mistake = describeMalformedKey(key)
  if (mistake !== undefined) throw malformed(`${mistake} Copy it again, the key alone, and paste it here.`)
  if (key.length > maxKeyLength) throw malformed(`The key is longer than ${maxKeyLength} characters. Copy the key alone.`)
  return new Secret(key)
}

/** What a user gives to connect with a key: the key itself, and the other fields and parameters that the definition asks for. */
export type GivenKey = { readonly key: Secret; readonly parameters: Variables }

/**
 * Reads `{"apiKey":"…"}` or `{"fields":{…},"parameters":{…}}`. The key is the field `key`.
 * @throws {GatewayError} `api_key_malformed` for the key, `parameters_invalid` for anything else
 */
export function parseGivenKey({ definition, hosts }: Pick<ProviderSettings, 'definition' | 'hosts'>, body: unknown): GivenKey {
  const { apiKey, fields = {}, parameters = {} } = Object(body) as Readonly<Record<string, unknown>>
  if (!isObject(fields)) throw parameterInvalid(definition, 'fields', 'must be an object of texts.')
  if (apiKey !== undefined && Object.hasOwn(fields, 'key'))
    throw parameterInvalid(definition, 'key', 'is given twice: as apiKey and among the fields. Give it once.')
  const { key: asked, ...askedBeside } = definition.methods.apiKey?.fields ?? {}
  const { key: given = apiKey, ...beside } = fields
  return {
    key: parseKeyField(definition, asked, given),
    parameters: {
      ...parseParameters(definition, definition.parameters ?? {}, parameters, hosts),
      ...parseParameters(definition, askedBeside, beside, hosts)
    }
  }
}

/** @throws {GatewayError} `api_key_malformed` */
function parseKeyField(definition: Provider, field: Parameter | undefined, given: unknown): Secret {
  if (field && given === undefined) throw malformed(definition, `${field.title} is missing. Send it among the fields, as key.`)
  const key = field?.verbatim ? given : parseApiKey(given, definition.name).reveal()
  if (!field) return new Secret(key as string)
  const parsed = parseParameter(definition, 'key', { ...field, verbatim: true, secret: true }, key)
  if ('problem' in parsed) throw malformed(definition, `${field.title} ${parsed.problem}.`)
  return new Secret(parsed.value)
}

export type KeyDependencies = {
  readonly send: Send
  readonly clock: Clock
  /** Looks up what the definition says; see `Lookups`. */
  readonly addAccount: Lookups['addAccount']
  readonly exchangeOf: (provider: string) => Pick<KeyExchange, 'exchange'> | undefined
  readonly revocation: Pick<Revocation, 'revoke'>
}

/**
 * Makes connections with keys, of which nothing is stored before the provider accepts them.
 * @returns a function that resolves with the connection, with its account and values if the definition says where they are. It throws
 * GatewayErrors: `api_key_malformed` when the key cannot be one, `api_key_rejected` when the provider refuses it, `provider_unavailable` or
 * `provider_timeout` when the provider cannot say, or does not say what the definition needs.
 */
export function createConnectWithKey({ send, clock, addAccount, exchangeOf, revocation }: KeyDependencies) {
  return async function connectWithKey(definition: Provider, given: GivenKey, place?: IntendedPlace): Promise<Connection> {
    if (!canBeSent(definition, given.key.reveal()))
      throw malformed(definition, 'The key contains a character that no key has. Copy it again.')
    const connection = await withCredential(definition, given)
    try {
      return await verified(definition, connection, place)
    } catch (error) {
      // A token that it was exchanged for would live on.
      void revocation.revoke(connection)
      throw error
    }
  }

  /** The key itself, or the access token that it is exchanged for. */
  async function withCredential(definition: Provider, { key, parameters }: GivenKey): Promise<Connection> {
    const { name, methods } = definition
    const optional = Object.keys(parameters).length > 0 ? { parameters } : {}
    const exchange = methods.apiKey?.tokenRequest && exchangeOf(name)
    if (exchange) return connectionFromKey(await exchanged(definition, exchange, key, parameters), name, optional.parameters, clock.now())
    const values = learntFromKey(definition, key)
    return {
      id: newConnectionId(),
      provider: name,
      method: 'api_key',
      status: 'connected',
      credential: key,
      ...optional,
      ...(Object.keys(values).length > 0 && { values }),
      connectedAtMs: clock.now()
    }
  }

  async function exchanged(
    definition: Provider,
    exchange: Pick<KeyExchange, 'exchange'>,
    key: Secret,
    parameters: Variables
  ): Promise<Grant> {
    try {
      return await exchange.exchange(key, parameters)
    } catch (error) {
      if (error instanceof LearntValueError) throw otherForm(definition, error)
      if (!(error instanceof TokenEndpointError)) throw error
      const { grant, kind, message } = error
      if (grant) void revocation.revoke(connectionFromKey(grant, definition.name, parameters, clock.now()))
      if (error.isInvalidGrant || error.isClientRejected || error.isRejection) throw rejected(definition)
      throw kind === 'timeout' ? timedOut(definition) : unavailable(definition, message)
    }
  }

  /** A check that needs what is looked up comes after the look-up. */
  async function verified(definition: Provider, connection: Connection, place: IntendedPlace | undefined): Promise<Connection> {
    const known = partialDefinition(definition, variablesOf(connection))
    const check = known.methods.apiKey?.check
    if (!check) return lookedUp(definition, connection, place)
    if (isResolved(check.url ?? known.api.baseUrl + check.path)) return lookedUp(definition, await checked(known, connection, check), place)
    const complete = await lookedUp(definition, connection, place)
    const resolved = definitionOf(definition, complete)
    return checked(resolved, complete, resolved.methods.apiKey?.check ?? check)
  }

  async function checked(definition: Provider, connection: Connection, check: CredentialCheck): Promise<Connection> {
    if (!isRequestable(definition, check)) return connection
    const account = definition.methods.apiKey?.account
    const result = await sendCheckRequest(send, definition, connection, check)
    if (!result) throw unavailable(definition, 'its response was incomplete or too long')
    const { verdict, head, document } = result
    if (verdict === 'unavailable')
      throw unavailable(definition, `it returned status ${head.status}`, retryAfterOf(definition, head, clock.now()))
    if (verdict === 'forbidden') throw notAllowed(definition)
    if (verdict !== 'accepted') throw rejected(definition)
    return account?.from === 'check' ? { ...connection, ...readAccount(document, account) } : connection
  }

  async function lookedUp(definition: Provider, connection: Connection, place: IntendedPlace | undefined): Promise<Connection> {
    try {
      return await addAccount(connection, place)
    } catch (error) {
      if (error instanceof LookupRefusedError) throw rejected(definition)
      throw error instanceof LearntValueError ? unavailable(definition, error.message) : error
    }
  }
}

function learntFromKey(definition: Provider, key: Secret): Variables {
  try {
    return learnValues(definition, definition.methods.apiKey?.values, 'key', key.reveal())
  } catch (error) {
    throw error instanceof LearntValueError ? otherForm(definition, error) : error
  }
}

const malformed = ({ name }: Provider, why: string) => new GatewayError('api_key_malformed', why, { provider: name, parameter: 'key' })

const otherForm = (definition: Provider, { value }: LearntValueError) =>
  malformed(definition, `A key of ${definition.title} has another form: its ${value} cannot be read from it. Copy the whole key again.`)

/**
 * Whether a key can stand where the definition places it. A header takes ASCII alone. In a path segment a key could traverse, where a server
 * decodes before it resolves dots (CWE-22). What is encoded for Basic, a query or a body takes anything.
 */
function canBeSent({ methods }: Provider, key: string): boolean {
  const { placements = [], tokenRequest } = methods.apiKey ?? {}
  if (tokenRequest) return true
  const isIn = (place: Placement['in']) => placements.some(placement => placement.in === place)
  return (!isIn('header') || /^[\x20-\x7e]+$/.test(key)) && (!isIn('path') || isGuarded(`/${encodeURIComponent(key)}`))
}

function isGuarded(path: string): boolean {
  try {
    guardPath(path)
    return true
  } catch {
    return false
  }
}

/** Whole seconds for which the provider wants no further request, if it says so. */
function retryAfterOf({ api }: Provider, { headers }: ResponseHead, nowMs: number): number | undefined {
  const standardMs = retryAtMs({ header: 'retry-after', unit: 'seconds' }, headers, nowMs)
  const untilMs = (api.rateLimit && retryAtMs(api.rateLimit, headers, nowMs)) ?? standardMs
  return untilMs === undefined ? undefined : Math.ceil((untilMs - nowMs) / 1000)
}

const rejected = ({ name, title }: Provider) =>
  new GatewayError(
    'api_key_rejected',
    `${title} does not accept this key. Check that it is the whole key and still active there, and paste it again.`,
    {
      provider: name
    }
  )

/** The provider knows the key, but the key lacks a permission: another key of the same kind would fail too. */
const notAllowed = ({ name, title }: Provider) =>
  new GatewayError(
    'api_key_rejected',
    `${title} knows this key, but does not let it read what is needed here. Give the key that permission there, or let an admin make one that has it, and paste it again.`,
    { provider: name }
  )

const timedOut = ({ name, title }: Provider) =>
  new GatewayError(
    'provider_timeout',
    `${title} did not say in time whether it accepts the key. Nothing was stored; try again in a moment.`,
    {
      provider: name
    }
  )

const unavailable = ({ name, title }: Provider, why: string, retryAfter?: number) =>
  new GatewayError('provider_unavailable', `${title} could not check the key: ${why}. Nothing was stored; try again in a moment.`, {
    provider: name,
    ...(retryAfter !== undefined && { retryAfter })
  })
