import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type NodeProcess, type Owner, runNode, startNode } from './node-process.ts'

/** The program `grantkeeper`. */
export const commandFile = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')

/** Makes `grantkeeper` a program of this folder, as an installed package does. */
export const installCommand = (folder: string): Promise<void> =>
  writeFile(join(folder, 'grantkeeper'), `#!/bin/sh\nexec node -- '${commandFile}' "$@"\n`, { mode: 0o755 })

type Environment = Readonly<Record<string, string>>

/** `grantkeeper start`, whether it succeeds or not. */
export const runGateway = (owner: Owner, environment: Environment, args: readonly string[] = []): NodeProcess =>
  runNode(owner, commandFile, environment, ['start', ...args])

/** `grantkeeper start`, until it is ready. */
export const startGatewayProcess = (
  owner: Owner,
  environment: Environment,
  args: readonly string[] = []
): Promise<NodeProcess & { url: string }> => startNode(owner, commandFile, environment, ['start', ...args])

/** Runs a command to its end, with this environment only. */
export async function runCommand(
  owner: Owner,
  environment: Environment,
  ...args: readonly string[]
): Promise<{ code: number; output: string }> {
  const { child, output } = runNode(owner, commandFile, environment, args)
  const [code] = await once(child, 'close')
  return { code, output: output() }
}
