import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EnvironmentReader } from './environment.ts'

const keyBytes = 32
/** 32 random bytes show about 30 different ones; a key with fewer than these was typed and not drawn. */
const minDistinctBytes = 8

export type Keys = { readonly session: readonly Buffer[]; readonly token: readonly Buffer[] }

type Given = { readonly [Ring in keyof Keys]: Keys[Ring] | undefined }

/** `SESSION_KEYS` and `TOKEN_KEYS`, as far as they are set. In production nothing is guessed. */
export function readKeys(env: EnvironmentReader, production: boolean): Given {
  const session = readRing(env, 'SESSION_KEYS')
  const token = readRing(env, 'TOKEN_KEYS')
  if (production && !session) env.problem(`SESSION_KEYS is missing: it seals the cookies. ${howToMake('SESSION_KEYS')}`)
  if (production && !token) env.problem(`TOKEN_KEYS is missing: it seals the tokens in the store. ${howToMake('TOKEN_KEYS')}`)
  return { session, token }
}

/** What is not set is made once and kept, unless there is a problem: a start that fails leaves nothing behind. */
export function completeKeys(env: EnvironmentReader, { session, token }: Given, dataDir: string): Keys | undefined {
  if (env.problems.length > 0) return undefined
  if (session && token) return { session, token }
  try {
    const generated = generatedKeys(dataDir)
    return { session: session ?? generated.session, token: token ?? generated.token }
  } catch (error) {
    env.problem(`DATA_DIR: the keys cannot be kept in ${dataDir}. ${(error as Error).message}`)
    return undefined
  }
}

/** Newest first. `undefined` when unset. */
function readRing(env: EnvironmentReader, name: 'SESSION_KEYS' | 'TOKEN_KEYS'): Buffer[] | undefined {
  const parts = env.list(name, exampleOfKeys)
  if (!parts) return undefined
  const keys = parts.map(part => Buffer.from(part, 'base64'))
  const bad = (index: number, why: string) => env.problem(`${name}: key ${index + 1} of ${keys.length} ${why}. ${howToMake(name)}`)
  for (const [i, key] of keys.entries()) {
    if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(parts[i] ?? '')) bad(i, 'is not base64')
    else if (key.length !== keyBytes) bad(i, `has ${key.length} bytes instead of ${keyBytes}`)
    else if (new Set(key).size < minDistinctBytes) bad(i, 'is not random')
  }
  if (new Set(parts).size !== parts.length) env.problem(`${name} lists a key twice. ${howToMake(name)}`)
  return keys
}

const exampleOfKeys = '"$(openssl rand -base64 32)"'

const howToMake = (name: string): string => `Make one with: ${name}=${exampleOfKeys}`

/**
 * Keys for a machine that nobody has configured, kept in a file that only its user can read, so that a restart opens
 * what was sealed before. Two processes that start at the same moment end up with the same file.
 */
function generatedKeys(dataDir: string): Keys {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const file = join(dataDir, 'keys.json')
  const draft = `${file}.${process.pid}`
  const draw = () => randomBytes(keyBytes).toString('base64')
  writeFileSync(draft, JSON.stringify({ session: [draw()], token: [draw()] }), { mode: 0o600 })
  try {
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
  return parseKeyFile(file)
}

function parseKeyFile(file: string): Keys {
  try {
    const { session, token } = JSON.parse(readFileSync(file, 'utf8')) as { session: string[]; token: string[] }
    const decode = (keys: string[]) => keys.map(key => Buffer.from(key, 'base64'))
    const keys = { session: decode(session), token: decode(token) }
    if ([keys.session, keys.token].every(ring => ring.length > 0 && ring.every(key => key.length === keyBytes))) return keys
  } catch {
    // Falls through: whatever is wrong with it, the answer is the same.
  }
  throw new Error(`${file} is not a key file of Grantkeeper. Restore it; or remove it, which signs everybody out.`)
}
