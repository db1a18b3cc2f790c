import { lookup } from 'node:dns'
import { statfsSync } from 'node:fs'
import { type ExaminedConfig, examineConfig } from '../config/config.ts'
import { type KnownDefinitions, knownDefinitions, loadDefinitions } from '../config/definitions/load-definitions.ts'
import type { Environment } from '../config/environment.ts'
import { keyFileOf, parseKeyFile } from '../config/keys.ts'
import { createLookup } from '../upstream/lookup.ts'
import { configurationChecks } from './configuration.ts'
import type { DoctorContext } from './context.ts'
import { embeddedStoreCheck } from './embedded-store.ts'
import { statOf } from './file-mode.ts'
import type { Check, Finding } from './finding.ts'
import { issuerChecks } from './issuer.ts'
import { keyChecks } from './keys.ts'
import { processCheck } from './process.ts'
import { providerChecks } from './providers.ts'
import { publicUrlCheck } from './public-url.ts'
import { recordsCheck } from './records.ts'
import { redirectAddressesCheck } from './redirect-addresses.ts'
import { redisCheck } from './redis/check.ts'
import { runChecks } from './run-checks.ts'

/** For one check. Each part of it that waits for another machine gives up earlier. */
const timeoutMs = 15_000

export type DoctorOptions = Partial<Pick<DoctorContext, 'clock' | 'resolve' | 'statfs'>> & {
  readonly load?: (variables: Environment) => Promise<KnownDefinitions>
}

/**
 * Examines a set-up: environment, keys, store, providers, identity provider, addresses. It reads, and writes nothing that stays, so that it may
 * run beside gateways in production.
 */
export async function diagnose(variables: Environment, options: DoctorOptions = {}): Promise<Finding[]> {
  const { clock = { now: Date.now }, resolve = lookup, statfs = statfsSync, load = loadDefinitions } = options
  const loaded = await loadFor(variables, load)
  const examined = examine(variables, loaded.known)
  const context: DoctorContext = {
    ...examined,
    variables,
    tokenKeys: tokenKeysOf(examined),
    clock,
    resolve,
    statfs,
    lookupFor: createLookup(examined.settings, resolve)
  }
  const { redis } = context.settings
  const connected = Promise.withResolvers<boolean>()
  const stores = [
    ...(redis ? [redisCheck({ clock, target: redis, onConnected: connected.resolve })] : []),
    ...(context.isEmbedded ? [embeddedStoreCheck(context)] : [])
  ]
  const checks = [
    ...loaded.checks,
    ...configurationChecks(context),
    ...keyChecks(context),
    ...stores,
    recordsCheck(context, connected.promise),
    ...issuerChecks(context),
    ...providerChecks(context),
    publicUrlCheck(context),
    redirectAddressesCheck(context),
    processCheck()
  ]
  return runChecks(checks, timeoutMs)
}

type Loaded = { readonly known: KnownDefinitions; readonly checks: readonly Check[] }

async function loadFor(variables: Environment, load: NonNullable<DoctorOptions['load']>): Promise<Loaded> {
  try {
    return { known: await load(variables), checks: [] }
  } catch (error) {
    const { message } = error as Error
    const run: Check['run'] = report => report.error(message, 'Install the package again: its own definitions cannot be loaded.')
    return { known: knownDefinitions([]), checks: [{ area: 'providers', subject: 'definitions', run }] }
  }
}

/** Without definitions, that no provider is configured is not the operator's mistake. */
function examine(variables: Environment, known: KnownDefinitions): ExaminedConfig {
  const examined = examineConfig(variables, known)
  if (known.names.length > 0) return examined
  return { ...examined, problems: examined.problems.filter(problem => !/\bprovider\b|^PROVIDERS\b/.test(problem)) }
}

function tokenKeysOf({ keys, settings, problems }: Pick<DoctorContext, 'keys' | 'settings' | 'problems'>): readonly Buffer[] | undefined {
  if (problems.some(problem => problem.startsWith('TOKEN_KEYS'))) return undefined
  const file = keyFileOf(settings.dataDir)
  if (keys.token || settings.production || statOf(file) === undefined) return keys.token
  try {
    return parseKeyFile(file).token
  } catch {
    return undefined
  }
}
