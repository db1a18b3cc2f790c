import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { withModuleHooks } from '../../config/definitions/module-hooks.ts'
import { isMeantAsDefinition } from '../../config/definitions/own-definitions.ts'
import { definitionExtensions, type ReadDefinition, readDefinitionFile } from '../../config/definitions/read-file.ts'

/** The definitions in a file, as a start reads them. Never rejects: what is wrong is for the author to read. */
export async function readDefinitions(file: string): Promise<ReadDefinition[]> {
  const path = resolve(file)
  const stats = await stat(path).catch(() => undefined)
  if (stats && !stats.isFile()) return [{ from: file, name: '', problems: ['is not a file. Give the path of one definition.'] }]
  return withModuleHooks(() => readDefinitionFile(path, file))
}

/** Of a folder, the definitions in all its files; else those of the file. Never rejects. */
export async function readFolderOrFile(path: string): Promise<ReadDefinition[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined)
  if (!entries) return readDefinitions(path)
  const files = entries.flatMap(entry => (!entry.isDirectory() && isMeantAsDefinition(entry.name) ? [join(path, entry.name)] : [])).sort()
  if (files.length === 0)
    return [{ from: path, name: '', problems: [`has no definition: no file whose name ends in ${definitionExtensions.join(', ')}.`] }]
  const read: ReadDefinition[] = []
  // One after the other, as a start reads them.
  for (const file of files) read.push(...(await readDefinitions(file)))
  return read
}
