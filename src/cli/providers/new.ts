import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { providerNames } from '../../config/load-providers.ts'
import { isReservedName } from '../../config/variable-prefix.ts'
import type { Provider } from '../../core/provider/definition.ts'
import type { CommandContext } from '../command.ts'
import { UsageError } from '../usage-error.ts'

const schemaFile = './node_modules/grantkeeper/dist/provider.schema.json'

/** Writes a definition to change into the working folder. @returns the exit code */
export async function writeDefinition(
  name: string,
  { typescript }: { readonly typescript: boolean },
  { print, printError }: CommandContext
): Promise<number> {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new UsageError(`A name is lower-case words joined by "-", not ${JSON.stringify(name)}. Give for example acme.`)
  if (isReservedName(name)) throw new UsageError(`${name} is a name by which settings of the gateway begin. Choose another.`)
  const file = `${name}.${typescript ? 'ts' : 'json'}`
  try {
    await writeFile(file, typescript ? inTypeScript(name) : inJson(name), { flag: 'wx' })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    printError(code === 'EEXIST' ? `${file} exists already. It is left as it is.\n` : `${file} cannot be written (${code}).\n`)
    return 1
  }
  const replaced = (await providerNames()).includes(name)
    ? `\nGrantkeeper has a definition of ${name} already: where PROVIDERS_FROM names ${file}, it replaces that one.\n`
    : ''
  const moduleNote = typescript
    ? `\nIt is an ECMAScript module. Tools other than this one know that by "type": "module" in package.json, or by the name ${name}.mts.\n`
    : ''
  print(`${file} is a definition to change: its addresses and facts are made up.
${replaced}${moduleNote}
  grantkeeper providers check ${file}
  grantkeeper providers try ${file}
  PROVIDERS_FROM=${file} PROVIDERS=${name} grantkeeper start    the sandbox plays it
`)
  return 0
}

/** Sound, and played by the sandbox as it is. Its addresses are of a domain that nobody has (RFC 2606). */
function template(name: string): Provider {
  const title = name.replace(/(^|-)(.)/g, (_, dash, letter: string) => (dash ? ' ' : '') + letter.toUpperCase())
  const host = `${name}.example.com`
  return {
    name,
    title,
    description: 'What a connection gives access to, such as orders and customers',
    color: '#0a7d55',
    docsUrl: `https://docs.${host}`,
    api: { baseUrl: `https://api.${host}/v1` },
    methods: {
      oauth2: {
        authorizeUrl: `https://${host}/oauth/authorize`,
        tokenUrl: `https://${host}/oauth/token`,
        revokeUrl: `https://${host}/oauth/revoke`,
        scopes: ['orders:read'],
        scopeTexts: { 'orders:read': 'see orders' },
        clientAuthentication: 'body',
        tokens: { accessTokenLifetime: 3600, refreshToken: 'rotated' },
        account: { from: 'lookup', path: '/me', id: '/id', name: '/name' },
        help: { steps: [`${title} asks you to sign in and to allow the access.`] }
      },
      apiKey: {
        placements: [{ in: 'header', name: 'x-api-key' }],
        check: { path: '/me', status: 200 },
        help: { steps: [`In ${title}, open Settings.`, 'Choose API keys.', 'Copy the key and paste it here.'] }
      }
    },
    sources: [{ confidence: 'guide', facts: 'all of it is made up', from: 'the template', checked: new Date().toISOString().slice(0, 10) }]
  }
}

function inJson(name: string): string {
  const schema = existsSync(schemaFile) ? { $schema: schemaFile } : {}
  return `${JSON.stringify({ ...schema, ...template(name) }, null, 2)}\n`
}

function inTypeScript(name: string): string {
  const code = JSON.stringify(template(name), null, 2)
    .replace(/"([a-zA-Z]\w*)":/g, '$1:')
    .replaceAll("'", '’')
    .replaceAll('"', "'")
  return `import { defineProvider } from 'grantkeeper/provider'\n\nexport default defineProvider(${code})\n`
}
