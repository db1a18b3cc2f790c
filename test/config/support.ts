import { randomBytes } from 'node:crypto'
import { type Config, readConfig } from '../../src/config/config.ts'
import { ConfigError, type Environment } from '../../src/config/environment.ts'
import type { Provider } from '../../src/core/provider/definition.ts'
import { apiKeyWith, oauth2With, providerWith } from '../core/support.ts'

export const newKey = (): string => randomBytes(32).toString('base64')

export const acme = providerWith()
/** Has every optional URL of an OAuth server. */
export const roadRunner = providerWith({
  name: 'road-runner',
  methods: {
    oauth2: oauth2With({
      refreshUrl: 'https://acme.example/refresh',
      revokeUrl: 'https://acme.example/revoke',
      issuer: 'https://acme.example'
    })
  }
})
/** Has API keys and no OAuth. */
export const keyed = providerWith({ name: 'keyed', methods: { apiKey: apiKeyWith({ in: 'basic' }) } })
export const definitions: readonly Provider[] = [acme, roadRunner, keyed]

/** Development with keys, so that no key file is written. */
export const development = { SESSION_KEYS: newKey(), TOKEN_KEYS: newKey() }

/** The required variables of production. */
export const production = {
  ...development,
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://connect.example.com',
  ACME_CLIENT_ID: 'client',
  ACME_CLIENT_SECRET: 'canary-secret'
}

export const read = (variables: Environment): Config => readConfig(variables, definitions)

/** The problems of the variables; empty when they are valid. */
export function problemsOf(variables: Environment): readonly string[] {
  try {
    read(variables)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
