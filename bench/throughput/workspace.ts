import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Owner } from '../../test/support/node-process.ts'

/** Where what is started keeps its files, until its owner ends. */
export type Workspace = { readonly owner: Owner; readonly directory: string }

export async function openWorkspace(owner: Owner): Promise<Workspace> {
  const directory = await mkdtemp(join(tmpdir(), 'grantkeeper-throughput-'))
  // Workers of nginx and Apache give up root and must still get in.
  await chmod(directory, 0o755)
  // Who was killed may still be ending a write.
  owner.teardown(() => rm(directory, { recursive: true, force: true, maxRetries: 10 }))
  return { owner, directory }
}
