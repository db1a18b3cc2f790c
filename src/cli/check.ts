import { diagnose } from '../doctor/doctor.ts'
import { formatFindings, hasError } from '../doctor/report.ts'
import { readArguments } from './arguments.ts'
import type { Command, CommandContext } from './command.ts'

const help = `Usage: grantkeeper check [--json] [--env-file FILE]...

Examines the set-up in the gateway's environment, before a start or beside running
gateways: configuration, keys, store, providers, identity provider, addresses. Prints a
line for each finding, and below it what to do about it.

It changes nothing that stays: in Redis it writes keys of its own, which expire within
seconds. To see whether a provider knows your client, it sends a made-up authorization
code, which the provider refuses.

Options:
  --json           one JSON object: {"ok", "findings": [{"level", "area", "subject",
                   "message", "cure"}]}; level is ok, warning or error
  --env-file FILE  sets the variables of FILE that are not set yet

Examples:
  grantkeeper check --env-file production.env
  grantkeeper check --json | jq '.findings[] | select(.level == "error")'

Exit codes:
  0   no error; there may be warnings
  1   at least one error
  64  wrong arguments
`

export const command: Command = { summary: 'examines the set-up, and says what is wrong and what to do', help, run }

async function run(args: readonly string[], { variables, print }: CommandContext): Promise<number> {
  const { json } = readArguments({ args: [...args], options: { json: { type: 'boolean', default: false } } }).values
  const findings = await diagnose(variables)
  const ok = !hasError(findings)
  print(json ? `${JSON.stringify({ ok, findings }, null, 2)}\n` : formatFindings(findings))
  return ok ? 0 : 1
}
