import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Provider } from '../core/provider/definition.ts'

const defaultDirectory = join(import.meta.dirname, '..', '..', 'providers')

/**
 * Loads every provider definition in a directory: each file's default export, in the order of the file names.
 * @throws {Error} if a file has no definition, or if two define the same name
 */
export async function loadProviders(directory = defaultDirectory): Promise<Provider[]> {
  const files = (await readdir(directory)).filter(file => /(?<!\.d)\.[jt]s$/.test(file)).sort()
  const providers: Provider[] = []
  for (const file of files) {
    const path = join(directory, file)
    const { default: provider } = (await import(pathToFileURL(path).href)) as { default?: Provider }
    if (provider?.name === undefined) throw new Error(`${path} exports no provider. Its default export must be defineProvider({ … }).`)
    if (providers.some(other => other.name === provider.name))
      throw new Error(`${path}: another file in ${directory} defines ${provider.name} already.`)
    providers.push(provider)
  }
  return providers
}
