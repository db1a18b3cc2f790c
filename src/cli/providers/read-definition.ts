import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { withModuleHooks } from '../../config/definitions/module-hooks.ts'
import { type ReadDefinition, readDefinitionFile } from '../../config/definitions/read-file.ts'

/** The definitions in a file, as a start reads them. Never rejects: what is wrong is for the author to read. */
export async function readDefinitions(file: string): Promise<ReadDefinition[]> {
  const path = resolve(file)
  const stats = await stat(path).catch(() => undefined)
  if (stats && !stats.isFile()) return [{ from: file, name: '', problems: ['is not a file. Give the path of one definition.'] }]
  return withModuleHooks(() => readDefinitionFile(path, file))
}
