import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EnvironmentReader } from './environment.ts'

const keyBytes = 32
/** 32 random bytes have about 30 distinct values. A key with fewer than this was typed, not generated. */
const minDistinctBytes = 8

/** Key rings, newest key first: the first key seals, all of them open. */
export type Keys = { readonly session: readonly Buffer[]; readonly token: readonly Buffer[] }

export type ConfiguredKeys = { readonly [Ring in keyof Keys]: Keys[Ring] | undefined }

/** `SESSION_KEYS` and `TOKEN_KEYS`, if set. In production both are required. */
export function readKeys(env: EnvironmentReader, production: boolean): ConfiguredKeys {
  const session = readRing(env, 'SESSION_KEYS')
  const token = readRing(env, 'TOKEN_KEYS')
  if (production && !session) env.addProblem(`SESSION_KEYS is missing: it seals the cookies. ${howToGenerate('SESSION_KEYS')}`)
  if (production && !token) env.addProblem(`TOKEN_KEYS is missing: it seals the tokens in the store. ${howToGenerate('TOKEN_KEYS')}`)
  return { session, token }
}

/**
 * Generates and stores the keys that are not set.
 * @returns `undefined` if there is any problem: a failed start leaves no files behind
 */
export function resolveKeys(env: EnvironmentReader, { session, token }: ConfiguredKeys, dataDir: string): Keys | undefined {
  if (env.problems.length > 0) return undefined
  if (session && token) return { session, token }
  try {
    const generated = loadOrGenerateKeys(dataDir)
    return { session: session ?? generated.session, token: token ?? generated.token }
  } catch (error) {
    env.addProblem(`DATA_DIR: the keys cannot be stored in ${dataDir}. ${(error as Error).message}`)
    return undefined
  }
}

/**
 * Base64 keys of 32 bytes, newest first.
 * @param mayBeLonger for keys that another program made
 * @returns `undefined` when unset; keys with problems too, which are noted
 */
export function readRing(env: EnvironmentReader, name: string, { mayBeLonger = false } = {}): Buffer[] | undefined {
  const items = env.list(name, exampleOfKeys)
  if (!items) return undefined
  const keys = items.map(item => Buffer.from(item, 'base64'))
  const reject = (index: number, why: string) =>
    env.addProblem(`${name}: key ${index + 1} of ${keys.length} ${why}. ${howToGenerate(name)}`)
  for (const [i, key] of keys.entries()) {
    if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(items[i] ?? '')) reject(i, 'is not base64')
    else if (key.length < keyBytes || (key.length > keyBytes && !mayBeLonger))
      reject(i, `has ${key.length} bytes instead of ${keyBytes}${mayBeLonger ? ' or more' : ''}`)
    else if (new Set(key).size < minDistinctBytes) reject(i, 'is not random')
  }
  if (new Set(items).size !== items.length) env.addProblem(`${name} lists a key twice. ${howToGenerate(name)}`)
  return keys
}

const exampleOfKeys = '"$(openssl rand -base64 32)"'

const howToGenerate = (name: string): string => `Generate one with: ${name}=${exampleOfKeys}`

/**
 * Keys for a start without configuration. They are stored in a file with mode 600, so that a restarted process opens what was sealed
 * before. Two processes that start at the same moment end up with the same file: link(2) fails if the file exists.
 */
function loadOrGenerateKeys(dataDir: string): Keys {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const file = keyFileOf(dataDir)
  const draft = `${file}.${process.pid}`
  const newKey = () => randomBytes(keyBytes).toString('base64')
  writeFileSync(draft, JSON.stringify({ session: [newKey()], token: [newKey()] }), { mode: 0o600 })
  try {
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
  return parseKeyFile(file)
}

/** Of generated keys. */
export const keyFileOf = (dataDir: string): string => join(dataDir, 'keys.json')

/** @throws an Error that names the file */
export function parseKeyFile(file: string): Keys {
  try {
    const { session, token } = JSON.parse(readFileSync(file, 'utf8')) as { session: string[]; token: string[] }
    const decode = (keys: string[]) => keys.map(key => Buffer.from(key, 'base64'))
    const keys = { session: decode(session), token: decode(token) }
    if ([keys.session, keys.token].every(ring => ring.length > 0 && ring.every(key => key.length === keyBytes))) return keys
  } catch {
    // Not JSON, or not readable: the same error as for a wrong shape.
  }
  throw new Error(`${file} is not a Grantkeeper key file. Restore it, or delete it, which signs out all users.`)
}
