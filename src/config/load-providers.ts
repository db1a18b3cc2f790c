import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Provider } from '../core/provider/provider.ts'

const ownFolder = join(import.meta.dirname, '..', '..', 'providers')

/**
 * Every definition in a folder: each file's default export, in the order of their names.
 * @throws {Error} naming the file that is no definition, or the name that two of them have
 */
export async function loadProviders(folder = ownFolder): Promise<Provider[]> {
  const files = (await readdir(folder)).filter(file => /(?<!\.d)\.[jt]s$/.test(file)).sort()
  const providers: Provider[] = []
  for (const file of files) {
    const path = join(folder, file)
    const { default: provider } = (await import(pathToFileURL(path).href)) as { default?: Provider }
    if (provider?.name === undefined) throw new Error(`${path} exports no provider. Its default export must be defineProvider({ … }).`)
    if (providers.some(other => other.name === provider.name))
      throw new Error(`${path}: another file in ${folder} defines ${provider.name} already.`)
    providers.push(provider)
  }
  return providers
}
