import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import type { Connection, Grant } from '../../src/core/connections/connection.ts'
import { ConnectionKey } from '../../src/core/connections/connection-key.ts'
import { GatewayError } from '../../src/core/errors.ts'
import type { Clock, Store } from '../../src/core/ports.ts'
import type { ApiKeyMethod, OAuth2Method, Provider } from '../../src/core/provider/definition.ts'
import { Secret } from '../../src/core/secret.ts'
import type { CallbackRequest, Session, SessionLimits } from '../../src/core/session.ts'
import { createCipher } from '../../src/core/vault/cipher.ts'
import type { ConnectResult } from '../../src/core/vault/session-rotation.ts'
import { createVault, type Vault } from '../../src/core/vault/vault.ts'
import { openSqliteStore } from '../../src/stores/sqlite/store.ts'

export const second = 1000
export const minute = 60 * second
export const hour = 60 * minute
export const startMs = Date.UTC(2026, 0, 1)

export type ManualClock = Clock & { advance(ms: number): void }

/** A clock that only the test advances. */
export function manualClock(): ManualClock {
  let nowMs = startMs
  return {
    now: () => nowMs,
    advance(ms) {
      nowMs += ms
    }
  }
}

/** The code of the GatewayError that a function throws; otherwise the error, or the returned value in an object. */
export function codeOf(run: () => unknown): unknown {
  try {
    return { returned: run() }
  } catch (error) {
    return error instanceof GatewayError ? error.code : error
  }
}

/** `codeOf` for a promise. */
export const codeOfRejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    returned => ({ returned }),
    error => (error instanceof GatewayError ? error.code : error)
  )

/** Escapes text as printable ASCII, for a test's title. */
export const printable = (text: string): string =>
  JSON.stringify(text).replace(/[^\x20-\x7e]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)

export const keyOf = (owner = 'owner', provider = 'acme'): ConnectionKey => new ConnectionKey(owner, provider)

export const newKey = (): Buffer => randomBytes(32)

/** The session of a result that must have one. */
export function sessionOf(result: ConnectResult | undefined): Session {
  if (result?.kind !== 'session') throw new Error(`no session: ${result?.kind}`)
  return result.session
}

export const grantOf = (accessToken: string, refreshToken?: string, expiresInMs?: number): Grant => ({
  accessToken: new Secret(accessToken),
  ...(refreshToken !== undefined && { refreshToken: new Secret(refreshToken) }),
  ...(expiresInMs !== undefined && { expiresInMs })
})

/** Each provider's has another id. Give those of several accounts at one provider their own. */
export const connectionWith = (overrides: Partial<Connection> = {}): Connection => ({
  id: `${overrides.provider ?? 'acme'}-1`,
  provider: 'acme',
  method: 'oauth2',
  status: 'connected',
  credential: new Secret('access-1'),
  refreshToken: new Secret('refresh-1'),
  connectedAtMs: startMs,
  ...overrides
})

/** A connection with its secrets as text, so that two can be compared. */
export const revealSecrets = ({ credential, refreshToken, ...rest }: Connection) => ({
  ...rest,
  credential: credential.reveal(),
  ...(refreshToken && { refreshToken: refreshToken.reveal() })
})

const help = { steps: ['Sign in.'] }

export const oauth2With = (overrides: Partial<OAuth2Method> = {}): OAuth2Method => ({
  authorizeUrl: 'https://acme.example/authorize',
  tokenUrl: 'https://acme.example/token',
  scopes: ['read'],
  clientAuthentication: 'body',
  help,
  ...overrides
})

export const apiKeyWith = (...placements: ApiKeyMethod['placements']): ApiKeyMethod => ({
  placements,
  check: { path: '/me', status: 200 },
  help
})

export const providerWith = (overrides: Partial<Provider> = {}): Provider => ({
  name: 'acme',
  title: 'Acme',
  description: 'Anvils',
  color: '#123abc',
  api: { baseUrl: 'https://api.acme.example/v1' },
  methods: { oauth2: oauth2With() },
  sources: [{ facts: 'all', confidence: 'vendor', from: 'https://acme.example/docs', checked: '2026-01-01' }],
  ...overrides
})

export const limits: SessionLimits = { idleMs: 8 * hour, maxMs: 24 * hour }
export const connectionIdleMs = 90 * 24 * hour

export type Instance = { store: Store; vault: Vault; clock: ManualClock; directory: string }

/** A vault on a SQLite store. `idleMs` ends users' connections. Two with the same `directory`, `clock` and `keys` are two instances of one gateway. */
export function openInstance(
  t: Test,
  options: { directory?: string; clock?: ManualClock; keys?: readonly Buffer[]; idleMs?: number } = {}
): Instance {
  const { directory = t.testdir(), clock = manualClock(), keys = [newKey()], idleMs = connectionIdleMs } = options
  const store = openSqliteStore({ directory, clock })
  t.teardown(() => store.close())
  return { store, vault: createVault({ store, cipher: createCipher(keys), limits, connectionIdleMs: idleMs, clock }), clock, directory }
}

/** The callback of one of several sign-ins in the same browser, which all join the session that the first of them starts. */
export const sameBrowserCallback = (clock: Clock): CallbackRequest => ({ startedAtMs: clock.now(), flow: 'flow', presentedFlows: ['flow'] })
