import { didYouMean } from '../core/util/nearest-name.ts'
import { readArguments } from './arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { UsageError } from './usage-error.ts'

const help = `Usage: grantkeeper providers [list] [--json]
       grantkeeper providers new NAME [--ts]
       grantkeeper providers check FILE... [--json]
       grantkeeper providers try FILE [--parameter NAME=VALUE]... [--client-id ID]
                                      [--response FILE] [--status STATUS] [--json]
       grantkeeper providers test FILE [--json]

Lists the providers that Grantkeeper knows: name, title, how users connect, on or off in
this environment, and where its definition is from, separated by tabs. PROVIDERS_FROM
names definitions of your own; one that is broken "cannot be used".

"new" writes NAME.json into the working folder: a definition that is sound and made up, to
be changed into one of a real vendor.

"check" validates definitions and names every problem at once: fields that are missing,
wrong, or that no definition has. A FILE is .json, or .ts or .js with the definition as
its default export; its code runs, as it does in the gateway. Of a folder, it reads the
files that PROVIDERS_FROM would read. Nothing is sent.

"try" shows what the gateway would send for a definition: the authorization URL, and the
token, refresh, revocation and API requests as curl commands. Words in capitals stand for
secrets. It then reads a token response, pasted or piped in, and shows what the gateway
finds in it, or why it would refuse it. Nothing is sent to the provider. To get a real
response, open the URL, take the code from the callback's address, and run the token
request with that code and your secret.

"test" plays the vendor from its definition on this machine, and what users do with it
through a gateway: sign-in, calls at each base, renewal, a grant that ends, a second
account, revocation, keys. Sign-in and keys each stop at the first step that does not
hold. That the definition is true, only the vendor can show.

Options:
  --json             one JSON object; of "check" and "test" one a line
  --ts               a TypeScript file, NAME.ts
  --parameter NAME=VALUE
                     what a user gives, such as shop=acme (default: its example)
  --client-id ID     of your OAuth client (default: NAME_CLIENT_ID, or a placeholder)
  --response FILE    the token response, "-" for standard input; the default asks for it
                     on a terminal, and else waits 5 seconds for standard input
  --status STATUS    the HTTP status of that response (default: 200)
  --env-file FILE    sets the variables of FILE that are not set yet

Examples:
  grantkeeper providers new acme
  grantkeeper providers check acme.json
  grantkeeper providers try acme.json
  grantkeeper providers try acme.json --response refusal.json --status 400
  grantkeeper providers test acme.json

Exit codes:
  0   listed; every definition is valid; the token response makes a connection; every step
      of "test" holds
  1   a definition has a problem, or the gateway would refuse the token response; a step
      of "test" does not hold; the file of "new" is there already
  64  wrong arguments
  78  wrong configuration
`

export const command: Command = { summary: 'lists providers; makes, checks, tries and tests definitions', help, run }

async function run(args: readonly string[], context: CommandContext): Promise<number> {
  const { values, positionals } = readArguments({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      ts: { type: 'boolean', default: false },
      parameter: { type: 'string', multiple: true },
      'client-id': { type: 'string' },
      response: { type: 'string' },
      status: { type: 'string' }
    }
  })
  const [action, ...files] = positionals
  const { json, parameter: parameters, 'client-id': clientId, response, status } = values
  if (action !== 'try' && [parameters, clientId, response, status].some(value => value !== undefined))
    throw new UsageError('--parameter, --client-id, --response and --status belong to "providers try FILE".')
  if (action !== 'new' && values.ts) throw new UsageError('--ts belongs to "providers new NAME".')
  switch (action) {
    case undefined:
    case 'list': {
      if (files.length > 0) throw new UsageError(`list takes no names, such as ${files[0]}. It lists all of them.`)
      const { listProviders } = await import('./providers/list.ts')
      return listProviders({ json }, context)
    }
    case 'new': {
      const [name] = files
      if (name === undefined || files.length > 1) throw new UsageError('new needs one NAME, for example acme.')
      const { writeDefinition } = await import('./providers/new.ts')
      return writeDefinition(name, { typescript: values.ts }, context)
    }
    case 'check': {
      if (files.length === 0) throw new UsageError('check needs at least one FILE or folder, for example acme.json.')
      const { checkDefinitions } = await import('./providers/check.ts')
      return checkDefinitions(files, { json }, context)
    }
    case 'try': {
      const [file] = files
      if (file === undefined || files.length > 1) throw new UsageError('try needs one FILE, for example acme.json.')
      if (clientId === '') throw new UsageError('--client-id is empty. Give the id of your OAuth client.')
      const { tryDefinition } = await import('./providers/try.ts')
      return tryDefinition(file, { json, clientId, parameters: parameters ?? [], response, status: parseStatus(status) }, context)
    }
    case 'test': {
      const [file] = files
      if (file === undefined || files.length > 1) throw new UsageError('test needs one FILE, for example acme.json.')
      const { testDefinitions } = await import('./providers/test.ts')
      return testDefinitions(file, { json }, context)
    }
    default:
      throw new UsageError(`${action} is not known.${didYouMean(action, ['list', 'new', 'check', 'try', 'test'])}`)
  }
}

function parseStatus(text = '200'): number {
  if (/^[2-5]\d\d$/.test(text)) return Number(text)
  throw new UsageError(`--status is the HTTP status of the response, 200 to 599, not ${JSON.stringify(text)}.`)
}
