import { randomBytes } from 'node:crypto'
import { didYouMean } from '../core/util/nearest-name.ts'
import { readArguments } from './arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { command as serviceKey } from './service-key.ts'
import { UsageError } from './usage-error.ts'

const help = `Usage: grantkeeper keys [--json]
       grantkeeper keys service-key NAME [--token] [--json]

Makes a new SESSION_KEYS and a new TOKEN_KEYS: 32 random bytes in base64 each, one line
a variable, as an env file has them. Nothing is stored: put them where the gateway's
environment comes from, and keep them. Without TOKEN_KEYS, stored tokens cannot be
opened.

To replace a key, list the new one beside the old one: "NEW,OLD". The guide to operating
has the order of the steps.

"service-key" makes the key of a backend that acts for users; see
"grantkeeper help service-key".

Options:
  --json  one JSON object

Examples:
  grantkeeper keys >> production.env
  grantkeeper keys service-key nightly

Exit codes:
  0   made
  64  wrong arguments
`

export const command: Command = { summary: 'makes SESSION_KEYS and TOKEN_KEYS', help, run }

const newKey = () => randomBytes(32).toString('base64')

async function run(args: readonly string[], context: CommandContext): Promise<number> {
  if (args[0] === 'service-key') return serviceKey.run(args.slice(1), context)
  const { values, positionals } = readArguments({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } }
  })
  const [unknown] = positionals
  if (unknown !== undefined) throw new UsageError(`${unknown} is not known.${didYouMean(unknown, ['service-key'])}`)
  const keys = { SESSION_KEYS: newKey(), TOKEN_KEYS: newKey() }
  const lines = Object.entries(keys).map(([name, value]) => `${name}=${value}`)
  context.print(`${values.json ? JSON.stringify(keys) : lines.join('\n')}\n`)
  return 0
}
