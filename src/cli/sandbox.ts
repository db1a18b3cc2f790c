import { readPort } from '../config/config.ts'
import { loadDefinitions } from '../config/definitions/load-definitions.ts'
import { ConfigError, EnvironmentReader } from '../config/environment.ts'
import { defaultHost, readPublicUrl } from '../config/network.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { shutdownSignals } from '../server/signals.ts'
import { readArguments } from './arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { UsageError } from './usage-error.ts'

const help = `Usage: grantkeeper sandbox [--port PORT] [--callback URL]... [--grants FILE] [--json]

Plays the vendors alone, on 127.0.0.1, those of PROVIDERS_FROM too: their consent pages,
token and revocation endpoints, and APIs. For tests of a frontend against a gateway that
is configured as in production, and for trying a client of your own. "grantkeeper start"
without a configured provider has the same sandbox inside.

It prints an env file: SANDBOX_URL, with which a gateway sends everything here, and the
client of each vendor; keys and other values that vendors accept are in comments.
Nothing else is printed, and it runs until a signal.

Faults are switched on while it runs, for each vendor by PATCH /VENDOR/_switches with
JSON. GET /_switches shows all of them.

Options:
  --port PORT      (default: a free one)
  --callback URL   where browsers may be sent back to; VENDOR in it stands for each name;
                   may be given several times (default: the callbacks of a gateway at
                   PUBLIC_URL, or at http://localhost with PORT or 3000)
  --grants FILE    keeps the grants there for its next start
  --json           one JSON object: origin, vendors, environment, apiKeys, examples
  --env-file FILE  sets the variables of FILE that are not set yet

Examples:
  grantkeeper sandbox --port 4000 > sandbox.env
  grantkeeper start --env-file sandbox.env
  curl -X PATCH http://127.0.0.1:4000/productboard/_switches \\
    --data '{"tokenFault": "error503"}'

Signals:
  SIGTERM, SIGINT  end it, with 0

Exit codes:
  0   after a signal
  1   it cannot listen on the port
  64  wrong arguments
  78  wrong configuration
`

export const command: Command = { summary: 'plays the vendors alone, for tests', help, run }

async function run(args: readonly string[], { variables, print, printError }: CommandContext): Promise<number> {
  const { values } = readArguments({
    args: [...args],
    options: {
      port: { type: 'string' },
      callback: { type: 'string', multiple: true },
      grants: { type: 'string' },
      json: { type: 'boolean', default: false }
    }
  })
  const { grants, json } = values
  if (grants === '') throw new UsageError('--grants needs a file, for example --grants sandbox.json.')
  const port = parsePort(values.port)
  const callbacks = values.callback?.map(parseCallback) ?? [`${publicUrlOf(variables)}/auth/VENDOR/callback`]
  const [{ startSandbox }, { definitions, problems, broken }] = await Promise.all([
    import('../sandbox/sandbox.ts'),
    loadDefinitions(variables, { all: true })
  ])
  if (problems.length > 0) throw new ConfigError(problems)
  for (const { from, problems } of broken) printError(`Warning: ${from} is not played: ${problems.join('; ')}\n`)
  try {
    const sandbox = await startSandbox({
      definitions,
      port,
      redirectUris: vendor => callbacks.map(callback => callback.replaceAll('VENDOR', vendor)),
      ...(grants !== undefined && { grantFile: grants })
    })
    const ended = shutdownSignal()
    print(json ? toJson(sandbox) : toEnvFile(sandbox))
    await ended
    await sandbox.close()
    return 0
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    if (syscall !== 'listen') throw error
    printError(`Port ${port} cannot be used (${code}). Give another, for example --port 4001, or none for a free one.\n`)
    return 1
  }
}

/** The same signal again ends the process at once, since Node's own handler is back. */
async function shutdownSignal(): Promise<void> {
  await new Promise<void>(resolve => {
    for (const signal of shutdownSignals) process.once(signal, () => resolve())
  })
}

function parsePort(text = '0'): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return port
  throw new UsageError(`--port is a number from 0 to 65535, not ${JSON.stringify(text)}. Give for example --port 4000.`)
}

/** Compared as a string (RFC 6749 §3.1.2.3), so it stays as it is given. */
function parseCallback(text: string): string {
  const url = URL.parse(text)
  if (url && /^https?:$/.test(url.protocol) && url.hash === '') return text
  throw new UsageError(
    `--callback is an absolute http or https URL without fragment, not ${JSON.stringify(text)}. Give for example --callback http://localhost:3000/auth/VENDOR/callback.`
  )
}

function publicUrlOf(variables: CommandContext['variables']): string {
  const env = new EnvironmentReader(variables)
  const publicUrl = readPublicUrl(env, { production: false, host: defaultHost })
  const port = readPort(variables, env)
  if (env.problems.length > 0) throw new ConfigError(env.problems)
  return publicUrl?.href ?? `http://localhost:${port}`
}

const toJson = ({ origin, vendors, environment, apiKeys, examples }: Sandbox): string =>
  `${JSON.stringify({ origin, vendors, environment, apiKeys, examples })}\n`

function toEnvFile({ origin, vendors, environment, examples }: Sandbox): string {
  return [
    `# The sandbox is ready: ${origin}`,
    '# It plays vendors: sign in with any email address. The secrets are new at each start.',
    ...Object.entries(examples).map(([vendor, { fields, parameters }]) => `# ${vendor} accepts ${listed({ ...fields, ...parameters })}`),
    `# Faults: curl -X PATCH ${origin}/${vendors[0]}/_switches --data '{"accessTokenSeconds": 5}'`,
    ...Object.entries(environment).map(([name, value]) => `${name}=${quoted(value)}`),
    ''
  ].join('\n')
}

const listed = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')

/** A private key has several lines. */
const quoted = (value: string): string => (/[\s#"']/.test(value) ? JSON.stringify(value) : value)
