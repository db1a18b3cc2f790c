import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Owner } from '../../test/support/node-process.ts'

/** A temporary directory for the files of all started processes, removed when its owner ends. */
export type Workspace = { readonly owner: Owner; readonly directory: string }

export async function openWorkspace(owner: Owner): Promise<Workspace> {
  const directory = await mkdtemp(join(tmpdir(), 'grantkeeper-throughput-'))
  // Workers of nginx and Apache drop root and still need access.
  await chmod(directory, 0o755)
  // A killed process may still be finishing a write.
  owner.teardown(() => rm(directory, { recursive: true, force: true, maxRetries: 10 }))
  return { owner, directory }
}
