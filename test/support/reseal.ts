import { once } from 'node:events'
import { join } from 'node:path'
import { type Owner, runNode } from './node-process.ts'

const command = join(import.meta.dirname, '..', '..', 'src', 'cli', 'reseal.ts')

/** Runs `npm run reseal` with the environment of a gateway. */
export async function reseal(owner: Owner, environment: Record<string, string>): Promise<{ code: number; output: string }> {
  const { child, output } = runNode(owner, command, environment)
  const [code] = await once(child, 'close')
  return { code, output: output() }
}
