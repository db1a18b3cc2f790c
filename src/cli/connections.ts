// `npm run connections`, with the gateway's environment: lists the connections of users, or erases everything of one.
import { parseArgs } from 'node:util'
import { readConfig } from '../config/config.ts'
import { ConfigError } from '../config/environment.ts'
import { loadProviders } from '../config/load-providers.ts'
import { timestamp } from '../core/connections/view.ts'
import type { Store } from '../core/ports.ts'
import { whyNoUserId } from '../core/users/user.ts'
import { type Cipher, createCipher } from '../core/vault/cipher.ts'
import { findOwners, type ListedConnection, listConnections } from '../core/vault/listing.ts'
import { pendingOwner } from '../core/vault/records.ts'
import { exitCode, startupErrorMessage } from '../server/startup-error.ts'
import { createServices, type Services } from '../services.ts'
import { openStore } from '../stores/open-store.ts'
import { pollUntil } from '../stores/wait-for-store.ts'
import { createLookup } from '../upstream/lookup.ts'
import { openUpstream } from '../upstream/send.ts'

const storeTimeoutMs = 5_000
const clock = { now: Date.now }

const statuses = ['connected', 'reconnect_required']

const usage = `Usage: connections [--user ID] [--status ${statuses.join('|')}] [--json]
       connections erase --user ID

Lists the connections of all users, or of one. "erase" deletes everything of a user and revokes the grants at the providers.`

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        user: { type: 'string', multiple: true },
        status: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false }
      }
    })
    const [command = 'list', ...rest] = positionals
    if (rest.length > 0 || !['list', 'erase'].includes(command)) throw new ConfigError([`${positionals.join(' ')} is not known.\n${usage}`])
    const { user: users = [], status, json } = values
    if (users.length > 1) throw new ConfigError([`--user is given ${users.length} times. Give one.\n${usage}`])
    const [user] = users
    const problem = user === undefined ? undefined : whyNoUserId(user)
    if (problem !== undefined) throw new ConfigError([`--user ${problem}. Give the id of one user, for example --user 42.\n${usage}`])
    if (status !== undefined && !statuses.includes(status)) throw new ConfigError([`--status is one of ${statuses.join(', ')}.\n${usage}`])
    if (command === 'erase' && user === undefined) throw new ConfigError([`erase needs --user ID, for example --user 42.\n${usage}`])
    // Whoever erases by a status does not expect that everything goes.
    if (command === 'erase' && (status !== undefined || json))
      throw new ConfigError([`erase deletes everything of a user: it takes --user alone.\n${usage}`])
    return { ...values, command, user }
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError([`${(error as Error).message}\n${usage}`])
  }
}

async function main(): Promise<void> {
  const args = readArguments()
  if (args.help) {
    process.stdout.write(`${usage}\n`)
    return
  }
  const config = readConfig(process.env, await loadProviders())
  const store = await openStore({ redis: config.redis, dataDir: config.dataDir, clock })
  const lookupFor = createLookup(config)
  const upstream = openUpstream(lookupFor)
  try {
    // The connection may not be established yet. If it still is not after the timeout, the first read reports why.
    await pollUntil(store.ping, storeTimeoutMs)
    const services = createServices(config, { store, clock, send: upstream.send, lookupFor })
    const cipher = createCipher(config.keys.token)
    const found = args.user === undefined ? undefined : await findOwners(store, cipher, args.user)
    if (args.command === 'erase' && found) await erase(services, args.user ?? '', found)
    else await list(store, cipher, found?.owners ?? [undefined], args)
    if (found && found.unreadable > 0) {
      process.exitCode = 1
      process.stdout.write(
        `${found.unreadable} users have records that none of TOKEN_KEYS opens: ${JSON.stringify(args.user)} may be one of them.\n`
      )
    }
  } finally {
    await upstream.close()
    await store.close()
  }
}

async function list(
  store: Store,
  cipher: Cipher,
  owners: ReadonlyArray<string | undefined>,
  { status, json }: { status?: string | undefined; json: boolean }
): Promise<void> {
  let count = 0
  let unreadable = 0
  const onUnreadable = (more: number) => {
    unreadable += more
  }
  for (const owner of owners) {
    for await (const listed of listConnections(store, cipher, owner, onUnreadable)) {
      if (status !== undefined && listed.connection.status !== status) continue
      count++
      process.stdout.write(`${json ? JSON.stringify(rowOf(listed)) : Object.values(rowOf(listed)).join('\t')}\n`)
    }
  }
  if (!json) process.stdout.write(`${count} ${count === 1 ? 'connection' : 'connections'} in ${store.description}\n`)
  if (unreadable > 0) {
    process.exitCode = 1
    process.stderr.write(`${unreadable} more cannot be opened with any of TOKEN_KEYS.\n`)
  }
}

/** Without any secret. `user` is empty for a browser that nobody is signed in to. */
const rowOf = ({ user, connection }: ListedConnection) => ({
  user: user?.id ?? '',
  provider: connection.provider,
  id: connection.id,
  account: connection.account ?? '',
  status: connection.status,
  connectedAt: timestamp(connection.connectedAtMs),
  lastUsedAt: connection.lastUsedAtMs === undefined ? '' : timestamp(connection.lastUsedAtMs)
})

/** Everything of everyone whom the records call by this id, also under an issuer that is not configured any more. */
async function erase(
  { vault, login, revocation, store, providers }: Services,
  user: string,
  { owners }: { readonly owners: readonly string[] }
): Promise<void> {
  if (owners.length === 0) {
    process.exitCode = 1
    process.stdout.write(`Nothing of ${JSON.stringify(user)} was found in ${store.description}. Nothing was deleted.\n`)
    return
  }
  for (const owner of owners) await login?.userLogin.forgetIssuerSessions(owner)
  const deleted = (await Promise.all(owners.map(owner => vault.deleteOwner(owner)))).flat()
  // What a provider does not confirm now, or is not configured here, waits in the queue for a running gateway.
  await Promise.all(
    deleted.map(connection => (providers.has(connection.provider) ? revocation.revoke(connection) : revocation.leaveToOthers(connection)))
  )
  for (const owner of owners) await store.confirmReplicated(owner)
  const waiting = (await store.readAll(pendingOwner)).size
  process.stdout.write(
    `Everything of ${JSON.stringify(user)} is deleted: ${deleted.length} ${deleted.length === 1 ? 'connection' : 'connections'}, sessions and invitations.\n`
  )
  if (waiting > 0)
    process.stdout.write(
      `${waiting} ${waiting === 1 ? 'revocation waits' : 'revocations wait'} in the store, of all users: a running gateway tries them again for 7 days.\n`
    )
}

main().catch((error: Error) => {
  process.stderr.write(`${startupErrorMessage(error)}\n`)
  process.exit(exitCode(error))
})
