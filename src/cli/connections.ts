import { whyNoUserId } from '../core/users/user.ts'
import { didYouMean } from '../core/util/nearest-name.ts'
import { readArguments } from './arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { UsageError } from './usage-error.ts'

const statuses = ['connected', 'reconnect_required']

const help = `Usage: grantkeeper connections [--user ID] [--status STATUS] [--json]
       grantkeeper connections erase --user ID

Lists the connections of all users, or of one: user, provider, id, account, status,
since when, and when it was last used, separated by tabs. The user is empty for a
browser that nobody is signed in to. No secret is printed.

"erase" deletes everything of a user and revokes the grants at the providers. A
revocation that a provider does not confirm waits in the store, for a running gateway.

Both need the gateway's environment. Gateways may run meanwhile, and learn of an erasure
at once.

Options:
  --user ID        the user, as tokens, service keys and the sign-in name them
                   (default for the list: everybody)
  --status STATUS  connected or reconnect_required (default: both)
  --json           one JSON object a line
  --env-file FILE  sets the variables of FILE that are not set yet

Examples:
  grantkeeper connections --status reconnect_required
  grantkeeper connections erase --user 42

Exit codes:
  0   listed, or erased
  1   nothing of this user was found, some records could not be opened with TOKEN_KEYS,
      or the store could not be reached
  64  wrong arguments
  78  wrong configuration
`

export const command: Command = { summary: "lists users' connections; erases what a user has", help, run }

async function run(args: readonly string[], context: CommandContext): Promise<number> {
  const { isErasure, user, status, json } = parse(args)
  if (isErasure && user !== undefined) {
    const { eraseUser } = await import('./connections/erase.ts')
    return eraseUser(user, context)
  }
  const { listAll } = await import('./connections/list.ts')
  return listAll({ user, status, json }, context)
}

function parse(args: readonly string[]) {
  const { values, positionals } = readArguments({
    args: [...args],
    allowPositionals: true,
    options: { user: { type: 'string', multiple: true }, status: { type: 'string' }, json: { type: 'boolean', default: false } }
  })
  const { user: users = [], status, json } = values
  const [user] = users
  const isErasure = positionals[0] === 'erase'
  if (positionals.length > (isErasure ? 1 : 0))
    throw new UsageError(
      `${positionals.join(' ')} is not known.${isErasure ? ' Give the user by --user.' : didYouMean(positionals[0] ?? '', ['erase'])}`
    )
  if (users.length > 1) throw new UsageError(`--user is given ${users.length} times. Give one.`)
  const problem = user === undefined ? undefined : whyNoUserId(user)
  if (problem !== undefined) throw new UsageError(`--user ${problem}. Give the id of one user, for example --user 42.`)
  if (status !== undefined && !statuses.includes(status)) throw new UsageError(`--status is one of ${statuses.join(', ')}.`)
  if (isErasure && user === undefined) throw new UsageError('erase needs --user ID, for example --user 42.')
  // Whoever erases by a status does not expect that everything goes.
  if (isErasure && (status !== undefined || json)) throw new UsageError('erase deletes everything of a user: it takes --user alone.')
  return { isErasure, user, status, json }
}
