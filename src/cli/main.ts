#!/usr/bin/env node
import { didYouMean } from '../core/util/nearest-name.ts'
import { exitCode, startupErrorMessage } from '../server/startup-error.ts'
import type { Command } from './command.ts'
import { readEnvFiles } from './env-files.ts'
import { readGlobalOptions } from './global-options.ts'
import { whyNodeIsTooOld } from './node-version.ts'
import { UsageError } from './usage-error.ts'

/** By name, in the order of the list. Only the command that is asked for is loaded. */
const commands: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  start: () => import('./start.ts'),
  check: () => import('./check.ts'),
  providers: () => import('./providers.ts'),
  connections: () => import('./connections.ts'),
  keys: () => import('./keys.ts'),
  'service-key': () => import('./service-key.ts'),
  reseal: () => import('./reseal.ts'),
  sandbox: () => import('./sandbox.ts')
}

/** EX_USAGE of sysexits.h. */
const usageErrorExitCode = 64

// A reader such as "head" may leave early (EPIPE). What was asked for is done all the same, and the exit code says how it went.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })

const print = (text: string) => void process.stdout.write(text)
const printError = (text: string) => void process.stderr.write(text)

/** @returns the exit code. A gateway that has started goes on after it. */
async function main(given: readonly string[]): Promise<number> {
  const tooOld = whyNodeIsTooOld(process.versions.node, process.execPath)
  if (tooOld !== undefined) {
    printError(`${tooOld}\n`)
    return 1
  }
  const { name, args, wantsHelp, wantsVersion, envFiles } = readGlobalOptions(given)
  if (wantsVersion) {
    const { readVersion } = await import('./version.ts')
    print(`${readVersion()}\n`)
    return 0
  }
  if (name === undefined && args.length > 0)
    throw new UsageError(`${args[0]} is not an option of grantkeeper.${didYouMean(args[0] ?? '', ['--help', '--version', '--env-file'])}`)
  const isHelp = name === 'help'
  const asked = isHelp ? args[0] : name
  if (asked === undefined) {
    print(await overview())
    return 0
  }
  const command = await load(asked)
  if (isHelp || wantsHelp) {
    print(`${command.help.trim()}\n`)
    return 0
  }
  try {
    // In the process's own environment, because libraries read it too, and workers inherit it. What is set there wins.
    Object.assign(process.env, { ...readEnvFiles(envFiles), ...process.env })
    return await command.run(args, { variables: process.env, print, printError })
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const [usage] = command.help.trim().split('\n\n', 1)
    throw new UsageError(`${error.message}\n\n${usage}\n\n"grantkeeper help ${asked}" explains them.`)
  }
}

async function load(name: string): Promise<Command> {
  const module = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!module)
    throw new UsageError(
      `${JSON.stringify(name)} is not a command.${didYouMean(name, Object.keys(commands))} Run grantkeeper alone for a list of them.`
    )
  return (await module()).command
}

async function overview(): Promise<string> {
  const names = Object.keys(commands)
  const width = Math.max(...names.map(({ length }) => length))
  const lines = await Promise.all(names.map(async name => `  ${name.padEnd(width)}  ${(await load(name)).summary}`))
  return `Usage: grantkeeper COMMAND [OPTIONS]

An API gateway that holds OAuth grants and API keys for frontends.

Commands:
${lines.join('\n')}

Options of all commands:
  --env-file FILE  sets the variables of FILE (NAME=value, a line each) that are not set
                   yet; may be given several times, and then the last file wins
  -h, --help       explains the command; so does "grantkeeper help COMMAND"
  -v, --version    prints the version

Configuration comes from environment variables. Without any, "grantkeeper start" plays
the vendors itself, so that everything can be tried at once.

Exit codes: 0 success, 1 failure, 64 wrong arguments, 78 wrong configuration.
`
}

main(process.argv.slice(2)).then(
  code => {
    process.exitCode = code
  },
  (error: Error) => {
    printError(`${error instanceof UsageError ? error.message : startupErrorMessage(error)}\n`)
    process.exit(error instanceof UsageError ? usageErrorExitCode : exitCode(error))
  }
)
