import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, extname, join, relative, resolve, sep } from 'node:path'
import type { EnvironmentReader } from '../environment.ts'
import { withModuleHooks } from './module-hooks.ts'
import { definitionExtensions, type ReadDefinition, readDefinitionFile, readDefinitionPackage } from './read-file.ts'

/** Written by people who mean a definition, in a form that is none. */
const almostDefinition = /\.(?:cjs|cts|tsx|jsx|ya?ml|json5|jsonc|toml)$/i
/** Belongs to the folder, not to the definitions in it. */
const beside = /^\.|^(?:package|package-lock|npm-shrinkwrap|tsconfig.*|jsconfig)\.json$|\.d\.m?ts$|\.(?:test|spec)\.\w+$|\.schema\.json$/

/** Whether a file of a folder is meant as a definition, though it may have a form that is none. */
export const isMeantAsDefinition = (name: string): boolean =>
  !beside.test(name) && (definitionExtensions.includes(extname(name)) || almostDefinition.test(name))

const packageName = /^(?:@[a-z\d._-]+\/)?[a-z\d][a-z\d._-]*(?:\/[\w.-]+)*$/i

export const providersFromExample = './providers'

/**
 * The definitions of `PROVIDERS_FROM`: folders, files and packages, in this order within an entry. What is wrong with the variable itself is a problem of
 * the environment; what is wrong with a definition is told with it.
 */
export async function readOwnDefinitions(env: EnvironmentReader): Promise<ReadDefinition[]> {
  const entries = env.list('PROVIDERS_FROM', providersFromExample) ?? []
  if (entries.length === 0) return []
  return withModuleHooks(async () => {
    const seen = new Set<string>()
    const read: ReadDefinition[][] = []
    for (const entry of entries) {
      const files = await filesOf(env, entry)
      if (files === undefined) {
        read.push(await readPackage(env, entry))
        continue
      }
      const paths = await Promise.all(files.map(file => realpath(file).catch(() => file)))
      const unseen = files.filter((_, i) => !seen.has(paths[i] ?? ''))
      for (const path of paths) seen.add(path)
      // One after the other: Node.js refuses a require() of a module that another import is still loading.
      for (const file of unseen) read.push(await readDefinitionFile(file, shown(file)))
    }
    return read.flat()
  })
}

/** @returns `undefined` if the entry is not a path but may be a package */
async function filesOf(env: EnvironmentReader, entry: string): Promise<string[] | undefined> {
  const path = resolve(entry)
  try {
    const stats = await stat(path)
    if (!stats.isDirectory()) return [path]
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && packageName.test(entry) && !definitionExtensions.includes(extname(entry))) return undefined
    env.addProblem(
      `PROVIDERS_FROM: ${env.quote('PROVIDERS_FROM', entry)} cannot be read (${code}); it would be ${shown(path)} in ${process.cwd()}. Give folders, files or packages, for example PROVIDERS_FROM=${providersFromExample}.`
    )
    return []
  }
  return filesIn(env, path)
}

async function filesIn(env: EnvironmentReader, folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter(name => !beside.test(name)).sort()
  const files: string[] = []
  for (const name of names) {
    const path = join(folder, name)
    const stats = await stat(path).catch(() => undefined)
    if (stats?.isDirectory()) await warnOfSubfolder(env, path)
    else if (definitionExtensions.includes(extname(name))) files.push(path)
    else if (almostDefinition.test(name))
      env.addWarning(
        `PROVIDERS_FROM: ${shown(path)} is not read: a definition is a file in JSON, TypeScript or JavaScript (.json, .ts, .mts, .js, .mjs).`
      )
  }
  if (files.length === 0)
    env.addProblem(
      `PROVIDERS_FROM: the folder ${shown(folder)} has no definition: no file whose name ends in .json, .ts, .mts, .js or .mjs. Put one there, or remove the folder from PROVIDERS_FROM.`
    )
  return files
}

async function warnOfSubfolder(env: EnvironmentReader, path: string): Promise<void> {
  if (basename(path) === 'node_modules') return
  const names = await readdir(path).catch(() => [])
  if (names.some(name => !beside.test(name) && definitionExtensions.includes(extname(name))))
    env.addWarning(
      `PROVIDERS_FROM: the folder ${shown(path)} is not read: folders in a folder are not. List it too, if it has definitions.`
    )
}

/** Known by what Node says of it: a package that is not there may also be a mistyped path. */
async function readPackage(env: EnvironmentReader, name: string): Promise<ReadDefinition[]> {
  const read = await readDefinitionPackage(name)
  const isAbsent = read[0]?.problems?.some(problem => problem.includes(`Cannot find package '${name}'`))
  if (!isAbsent) return read
  env.addProblem(
    `PROVIDERS_FROM: ${env.quote('PROVIDERS_FROM', name)} is neither a file or folder in ${process.cwd()} nor an installed package. Give a path such as ${providersFromExample}, or install the package.`
  )
  return []
}

/** As short as it is clear. */
function shown(path: string): string {
  const short = relative(process.cwd(), path)
  return short === '' ? '.' : short.startsWith(`..${sep}`) || short === '..' || resolve(short) !== path ? path : short
}
