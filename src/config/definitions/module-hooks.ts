import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Of the sources, or of what was built from them. */
const extension = extname(import.meta.filename)
const root = new URL('../../../', import.meta.url)

const packageScheme = 'grantkeeper-package:'

/** What `import()` takes for a package of the working folder, while the hooks are there. */
export const packageSpecifier = (name: string): string => packageScheme + name

/**
 * Lets what is loaded import our entries from any folder, also where no package is installed beside it: the gateway may run by npx or from a global
 * installation. They are those of this gateway, so that a definition is held to the rules by which it will run.
 */
export async function withModuleHooks<T>(load: () => Promise<T>): Promise<T> {
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      const url = ourEntry(specifier)
      if (url !== undefined) return { url, shortCircuit: true }
      if (!specifier.startsWith(packageScheme)) return nextResolve(specifier, context)
      const name = specifier.slice(packageScheme.length)
      try {
        return nextResolve(name, { ...context, parentURL: pathToFileURL(`${process.cwd()}/`).href })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
        // Installed beside the gateway, as a global package may be.
        return nextResolve(name, { ...context, parentURL: import.meta.url })
      }
    },
    load: (url, context, nextLoad) =>
      nextLoad(url, isMistakenForCommonJs(url, context.format) ? { ...context, format: moduleFormat(url) } : context)
  })
  try {
    return await load()
  } finally {
    hooks.deregister()
  }
}

/** What a CommonJS module cannot have, except in a comment or a text. */
const exportStatement = /^[ \t]*export\s*(?:[{*]|(?:default|const|let|var|async|function|class)\b)/m

/**
 * Whether an ECMAScript module is in a folder whose package.json says otherwise, as `npm init -y` writes it, or says nothing. Node.js refuses the
 * one, and warns of the other at each start (MODULE_TYPELESS_PACKAGE_JSON).
 */
function isMistakenForCommonJs(url: string, format: string | null | undefined): boolean {
  if (!/^file:.*\.[jt]s$/.test(url) || url.includes('/node_modules/') || !/^commonjs|^$/.test(format ?? '')) return false
  const source = readFileSync(fileURLToPath(url), 'utf8')
  return exportStatement.test(source) && !/\bmodule\.exports\b/.test(source)
}

const moduleFormat = (url: string) => (url.endsWith('.ts') ? 'module-typescript' : 'module')

function ourEntry(specifier: string): string | undefined {
  if (specifier === 'grantkeeper/provider') return new URL(`src/provider${extension}`, root).href
  const [, name] = /^grantkeeper\/providers\/([a-z\d-]+)$/.exec(specifier) ?? []
  return name === undefined ? undefined : new URL(`providers/${name}${extension}`, root).href
}
