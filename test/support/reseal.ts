import { runCommand } from './command.ts'
import type { Owner } from './node-process.ts'

/** Runs `grantkeeper reseal` with the environment of a gateway. */
export const reseal = (owner: Owner, environment: Record<string, string>): Promise<{ code: number; output: string }> =>
  runCommand(owner, environment, 'reseal')
