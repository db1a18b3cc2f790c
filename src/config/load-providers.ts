import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Provider } from '../core/provider/definition.ts'

const defaultDirectory = join(import.meta.dirname, '..', '..', 'providers')

const isModule = (file: string) => /(?<!\.d)\.[jt]s$/.test(file)

/** The names of our own providers: their files are named after them, so that none has to be loaded for its name. */
export async function providerNames(directory = defaultDirectory): Promise<string[]> {
  return (await readdir(directory)).filter(isModule).map(nameOf).sort()
}

const nameOf = (file: string): string => file.replace(/\.[jt]s$/, '')

/**
 * Loads provider definitions of a directory: each file's default export, in the order of the file names.
 * @param isWanted by the file's name without extension; by default all are
 * @throws {Error} if a file has no definition, or if two define the same name
 */
export async function loadProviders(directory = defaultDirectory, isWanted: (name: string) => boolean = () => true): Promise<Provider[]> {
  const files = (await readdir(directory)).filter(isModule).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
  const wanted = files.filter(file => isWanted(nameOf(file)))
  const modules: { readonly default?: Provider }[] = await Promise.all(
    wanted.map(file => import(pathToFileURL(join(directory, file)).href))
  )
  const names = new Set<string>()
  return modules.map(({ default: provider }, i) => {
    const path = join(directory, wanted[i] ?? '')
    if (provider?.name === undefined) throw new Error(`${path} exports no provider. Its default export must be defineProvider({ … }).`)
    if (names.has(provider.name)) throw new Error(`${path}: another file in ${directory} defines ${provider.name} already.`)
    names.add(provider.name)
    return provider
  })
}
