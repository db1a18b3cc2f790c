import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'

const definition = (name: string) => `export default { name: ${JSON.stringify(name)} }`

/** A directory for each test, since Node.js caches modules by path. */
const directoryWith = (t: Test, files: Record<string, string>): string => t.testdir(files)

t.test('every definition in a directory is loaded, in the order of file names', async t => {
  const directory = directoryWith(t, {
    'umbrella.ts': `const name: string = 'umbrella'\nexport default { name }`,
    'acme.js': definition('acme'),
    'initech.ts': definition('initech'),
    'README.md': '# Providers',
    'acme.js.map': '{}',
    'acme.d.ts': 'export default {}',
    'notes.json': '{}'
  })
  t.strictSame(
    (await loadProviders(directory)).map(({ name }) => name),
    ['acme', 'initech', 'umbrella']
  )
})

t.test('a directory without definitions yields none', async t => {
  t.strictSame(await loadProviders(directoryWith(t, { 'README.md': '# Providers' })), [])
})

t.test('the default directory is the one with the included providers', async t => {
  const files = readdirSync('providers').map(file => file.replace('.ts', ''))
  t.strictSame(new Set((await loadProviders()).map(({ name }) => name)), new Set(files))
})

t.test('the error names a file without a definition', async t => {
  for (const [file, content] of [
    ['named.ts', 'export const provider = { name: "acme" }'],
    ['empty.ts', 'export {}'],
    ['nameless.ts', 'export default {}'],
    ['nothing.ts', 'export default undefined']
  ] as const) {
    await t.test(file, async t => {
      const directory = directoryWith(t, { 'acme.ts': definition('acme'), [file]: content })
      await t.rejects(loadProviders(directory), {
        message: `${join(directory, file)} exports no provider. Its default export must be defineProvider({ … }).`
      })
    })
  }
})

t.test('the error names the second file that defines the same name', async t => {
  const directory = directoryWith(t, { 'a.ts': definition('acme'), 'b.ts': definition('acme') })
  await t.rejects(loadProviders(directory), { message: `${join(directory, 'b.ts')}: another file in ${directory} defines acme already.` })
})

t.test('errors of a definition and of a missing directory are passed on', async t => {
  const directory = directoryWith(t, { 'acme.ts': `throw new TypeError('provider "acme": color must be #rrggbb')` })
  await t.rejects(loadProviders(directory), { name: 'TypeError', message: 'provider "acme": color must be #rrggbb' })
  await t.rejects(loadProviders(join(directory, 'absent')), { code: 'ENOENT' })
})
