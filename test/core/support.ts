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

export type HandClock = Clock & { advance(ms: number): void }

/** A clock that stands until the test moves it. */
export function handClock(): HandClock {
  let nowMs = startMs
  return {
    now: () => nowMs,
    advance(ms) {
      nowMs += ms
    }
  }
}

/** The code of the GatewayError with which a call ends; what else it ends with, as it is. */
export function codeOf(call: () => unknown): unknown {
  try {
    return { returned: call() }
  } catch (error) {
    return error instanceof GatewayError ? error.code : error
  }
}

/** The same for a promise. */
export const codeOfRejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    returned => ({ returned }),
    error => (error instanceof GatewayError ? error.code : error)
  )

/** As a test's title can hold it: printable ASCII. */
export const shown = (text: string): string =>
  JSON.stringify(text).replace(/[^\x20-\x7e]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)

export const keyOf = (owner = 'owner', provider = 'acme'): ConnectionKey => new ConnectionKey(owner, provider)

export const newKey = (): Buffer => randomBytes(32)

/** The session that a connect has handed out, for a test in which it must. */
export function sessionOf(result: ConnectResult | undefined): Session {
  if (result?.kind !== 'session') throw new Error(`no session: ${result?.kind}`)
  return result.session
}

export const grantOf = (accessToken: string, refreshToken?: string, expiresInMs?: number): Grant => ({
  accessToken: new Secret(accessToken),
  ...(refreshToken !== undefined && { refreshToken: new Secret(refreshToken) }),
  ...(expiresInMs !== undefined && { expiresInMs })
})

export const connectionWith = (parts: Partial<Connection> = {}): Connection => ({
  provider: 'acme',
  method: 'oauth2',
  status: 'connected',
  credential: new Secret('access-1'),
  refreshToken: new Secret('refresh-1'),
  connectedAtMs: startMs,
  ...parts
})

/** A connection with its secrets told, so that two can be compared. */
export const told = ({ credential, refreshToken, ...rest }: Connection) => ({
  ...rest,
  credential: credential.reveal(),
  ...(refreshToken && { refreshToken: refreshToken.reveal() })
})

const help = { steps: ['Sign in.'] }

export const oauth2With = (parts: Partial<OAuth2Method> = {}): OAuth2Method => ({
  authorizeUrl: 'https://acme.example/authorize',
  tokenUrl: 'https://acme.example/token',
  scopes: ['read'],
  clientAuthentication: 'body',
  help,
  ...parts
})

export const apiKeyWith = (...placements: ApiKeyMethod['placements']): ApiKeyMethod => ({
  placements,
  check: { path: '/me', status: 200 },
  help
})

export const providerWith = (parts: Partial<Provider> = {}): Provider => ({
  name: 'acme',
  title: 'Acme',
  description: 'Anvils',
  color: '#123abc',
  api: { baseUrl: 'https://api.acme.example/v1' },
  methods: { oauth2: oauth2With() },
  sources: [{ facts: 'all', confidence: 'vendor', from: 'https://acme.example/docs', checked: '2026-01-01' }],
  ...parts
})

export const limits: SessionLimits = { idleMs: 8 * hour, maxMs: 24 * hour }

export type Instance = { store: Store; vault: Vault; clock: HandClock; directory: string }

/** A vault on the real embedded store. Two with one `directory`, `clock` and `keys` are two instances of one gateway. */
export function openInstance(t: Test, parts: { directory?: string; clock?: HandClock; keys?: readonly Buffer[] } = {}): Instance {
  const { directory = t.testdir(), clock = handClock(), keys = [newKey()] } = parts
  const store = openSqliteStore({ directory, clock })
  t.teardown(() => store.close())
  return { store, vault: createVault({ store, cipher: createCipher(keys), limits, clock }), clock, directory }
}

/** Sign-ins of one browser that were under way together, and come back without having seen the session that the first began. */
export const inOneBrowser = (clock: Clock): CallbackRequest => ({ startedAtMs: clock.now(), flow: 'a tab', presentedFlows: ['a tab'] })
