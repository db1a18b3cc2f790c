import { isServiceKeyName, newServiceKey } from '../core/users/service-keys.ts'
import { readArguments } from './arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { UsageError } from './usage-error.ts'

const help = `Usage: grantkeeper service-key NAME [--token] [--json]

Makes the key with which a backend acts for any user, and its entry for SERVICE_KEYS.
The key is shown this once and stored nowhere: give it to the backend, which sends it as
"Authorization: Bearer KEY" with the header "Grantkeeper-User: ID". The entry has only
its hash. Add it to SERVICE_KEYS, separated by a comma, and start the gateway again.

NAME is for logs: 1 to 64 letters, digits, ".", "_" and "-". To replace a key, list two
entries of one name while the backend changes over.

Options:
  --token  the backend may also be handed access tokens themselves
           (POST /connections/PROVIDER/token)
  --json   one JSON object: key and entry

Examples:
  grantkeeper service-key nightly
  grantkeeper service-key sync --token

Exit codes:
  0   made
  64  wrong arguments
`

export const command: Command = { summary: 'makes a key with which a backend acts for users', help, run }

async function run(args: readonly string[], { print }: CommandContext): Promise<number> {
  const { values, positionals } = readArguments({
    args: [...args],
    allowPositionals: true,
    options: { token: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } }
  })
  const [name] = positionals
  if (name === undefined || positionals.length > 1)
    throw new UsageError('service-key needs one NAME for the backend, for example service-key nightly.')
  if (!isServiceKeyName(name))
    throw new UsageError(
      `${JSON.stringify(name)} cannot be the name of a service key. Use 1 to 64 letters, digits, ".", "_" and "-", beginning with a letter or digit.`
    )
  const { key, entry } = newServiceKey(name, { mayReadTokens: values.token })
  print(
    values.json
      ? `${JSON.stringify({ key: key.reveal(), entry })}\n`
      : `Key, shown this once:    ${key.reveal()}\nEntry for SERVICE_KEYS:  ${entry}\n`
  )
  return 0
}
