import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { installTarball, newProject } from '../support/installed-package.ts'
import { execNode } from '../support/node-process.ts'

const { manifest } = installTarball()
const modules = join(import.meta.dirname, '..', '..', 'node_modules')
const entries = Object.keys(manifest.exports)
  .filter(entry => !entry.endsWith('.json'))
  .map(entry => entry.replace('*', 'productboard'))

/** The code of someone who uses the package. */
const consumer = `
import { createClient, type Connection } from 'grantkeeper/client'
import { defineProvider, type ConfiguredProvider, type ProviderDefinition } from 'grantkeeper/provider'
import { processStreet, productboard } from 'grantkeeper/providers'
import ignition from 'grantkeeper/providers/ignition'
import { useConnections } from 'grantkeeper/react'
import { createTestClient } from 'grantkeeper/testing'

const acme: ProviderDefinition = defineProvider({
  name: 'acme', title: 'Acme', description: 'Things of a vendor', color: '#123456',
  api: { baseUrl: 'https://api.acme.example' },
  methods: { apiKey: { placements: [{ in: 'basic' }], check: { path: '/me', status: 200 }, help: { steps: [] } } },
  sources: [{ facts: 'API base, key', confidence: 'vendor', from: 'here', checked: '2026-11-28' }]
})
export const providers: ConfiguredProvider[] = [
  productboard({ clientId: 'id', clientSecret: 'secret', scopes: ['notes:read'] }), processStreet(), ignition(), acme({ apiUrl: 'https://localhost' })
]
export const title: string = { ...acme }.title
export const list: Promise<Connection[]> = createClient({ gateway: 'https://connect.example.com' }).connections()
export const known: readonly Connection[] | undefined = useConnections().connections
createTestClient({ connections: [{ provider: 'acme' }] })
// @ts-expect-error: this option is misspelled
productboard({ clientID: 'id' })
// @ts-expect-error: a definition cannot be changed
acme.title = 'Other'
`

/** Every entry as a whole. That of the plugin has types of Node.js, so it is not for browsers. */
const whole = (entries: readonly string[]) =>
  entries.map((entry, i) => `export * as entry${i} from ${JSON.stringify(entry.replace('.', 'grantkeeper'))}\n`).join('')
const isForBrowsers = (entry: string) => entry !== '.'

/** Compiles the files of a project of their own. */
async function compile(t: Test, files: Readonly<Record<string, string>>, options: object): Promise<void> {
  const folder = newProject(t)
  for (const [name, source] of Object.entries(files)) writeFileSync(join(folder, name), source)
  const compilerOptions = {
    ...options,
    target: 'esnext',
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    typeRoots: [join(modules, '@types')],
    paths: { react: [join(modules, '@types', 'react')], 'react/*': [join(modules, '@types', 'react', '*')] }
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: Object.keys(files) }))
  await execNode([join(modules, 'typescript', 'bin', 'tsc'), '-p', folder]).catch(({ stdout }) => t.fail(stdout))
}

for (const [title, options, source] of [
  ['a program for Node.js', { module: 'nodenext', lib: ['esnext', 'dom'], types: ['node'] }, consumer + whole(entries)],
  ['a bundler', { module: 'esnext', moduleResolution: 'bundler', lib: ['esnext', 'dom'], types: ['node'] }, consumer + whole(entries)],
  ['a page, without types of Node.js', { module: 'nodenext', lib: ['esnext', 'dom'], types: [] }, whole(entries.filter(isForBrowsers))]
] as const) {
  t.test(`the types of each entry suit ${title}`, t => compile(t, { 'app.ts': source }, options))
}

t.test('the code in docs/frontend.md has the types of the package', async t => {
  const blocks = [...readFileSync('docs/frontend.md', 'utf8').matchAll(/^```tsx?\n\/\/ (.*)\n([\s\S]*?)^```$/gm)]
  const files = Object.fromEntries(blocks.map(([, name = '', code = '']) => [name, code]))
  t.ok(blocks.length > 3, 'blocks are found')
  await compile(t, files, { module: 'esnext', moduleResolution: 'bundler', lib: ['esnext', 'dom'], types: [], jsx: 'react-jsx' })
})
