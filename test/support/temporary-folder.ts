import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Owner } from './node-process.ts'

/** An empty folder outside of the project, whose `node_modules` nothing in it finds. */
export function temporaryFolder(owner: Owner): string {
  const folder = mkdtempSync(join(tmpdir(), 'grantkeeper-test-'))
  // A killed process may still be finishing a write.
  owner.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  return folder
}
