import { createCipher } from '../core/vault/cipher.ts'
import { type ResealReport, resealAll } from '../core/vault/reseal.ts'
import { readArguments } from './arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { openProgress } from './progress.ts'
import { withStore } from './with-store.ts'

const help = `Usage: grantkeeper reseal [--json]

Encrypts again, with the first key of TOKEN_KEYS, everything in the store that an older
key has encrypted. Run it after a new key was put first and before the old one is
removed. It needs the gateway's environment, and gateways may run meanwhile: concurrent
changes are never overwritten, and no lifetime is extended.

Options:
  --json           one JSON object: store, owners, records, resealed, unreadable, skipped
  --env-file FILE  sets the variables of FILE that are not set yet

Examples:
  grantkeeper reseal
  grantkeeper reseal --env-file production.env

Exit codes:
  0   no record needs an older key any more
  1   some records cannot be opened, or kept changing; the last lines say how many and
      what to do. Or the store cannot be reached
  64  wrong arguments
  78  wrong configuration
`

export const command: Command = { summary: 'encrypts what older keys have encrypted with the newest', help, run }

async function run(args: readonly string[], { variables, print }: CommandContext): Promise<number> {
  const { json } = readArguments({ args: [...args], options: { json: { type: 'boolean', default: false } } }).values
  return withStore(variables, async (store, { keys }) => {
    const progress = openProgress()
    const report = await resealAll(store, createCipher(keys.token), ({ records, resealed }) =>
      progress.show(`${format(records)} records read, ${format(resealed)} resealed`)
    ).finally(progress.end)
    print(json ? `${JSON.stringify({ store: store.description, ...report })}\n` : `${store.description}\n${describe(report)}\n`)
    return report.skipped + report.unreadable > 0 ? 1 : 0
  })
}

const format = (value: number) => value.toLocaleString('en-US')

function describe({ owners, records, resealed, unreadable, skipped }: ResealReport): string {
  return [
    `${format(records)} records of ${format(owners)} users: ${format(resealed)} resealed with the first of TOKEN_KEYS, ${format(records - resealed - unreadable - skipped)} were already.`,
    ...(unreadable > 0
      ? [
          `${format(unreadable)} cannot be opened with any of TOKEN_KEYS. If a key is missing from TOKEN_KEYS, add it and run this again; if it is lost, the users of these records are asked to connect again.`
        ]
      : []),
    ...(skipped > 0 ? [`${format(skipped)} kept changing and were skipped. Run this again.`] : []),
    ...(skipped + unreadable === 0
      ? ['No record needs the older keys any more. Links of open invitations may need them for up to 7 days.']
      : [])
  ].join('\n')
}
