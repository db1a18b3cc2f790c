import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'

const definition = (name: string) => `export default { name: ${JSON.stringify(name)} }`

/** Each in a folder of its own: a module is loaded once for its path. */
const folderWith = (t: Test, files: Record<string, string>): string => t.testdir(files)

t.test('every definition of a folder is loaded, in the order of the file names', async t => {
  const folder = folderWith(t, {
    'umbrella.ts': `const name: string = 'umbrella'\nexport default { name }`,
    'acme.js': definition('acme'),
    'initech.ts': definition('initech'),
    'README.md': '# Providers',
    'acme.js.map': '{}',
    'acme.d.ts': 'export default {}',
    'notes.json': '{}'
  })
  t.strictSame(
    (await loadProviders(folder)).map(({ name }) => name),
    ['acme', 'initech', 'umbrella']
  )
})

t.test('a folder without definitions has none', async t => {
  t.strictSame(await loadProviders(folderWith(t, { 'README.md': '# Providers' })), [])
})

t.test('without a folder it is our own', async t => {
  t.strictSame((await loadProviders()).map(({ name }) => name).slice(0, 4), ['ignition', 'outgrow', 'process-street', 'productboard'])
})

t.test('a file that is no definition is named', async t => {
  for (const [file, content] of [
    ['named.ts', 'export const provider = { name: "acme" }'],
    ['empty.ts', 'export {}'],
    ['nameless.ts', 'export default {}'],
    ['nothing.ts', 'export default undefined']
  ] as const) {
    await t.test(file, async t => {
      const folder = folderWith(t, { 'acme.ts': definition('acme'), [file]: content })
      await t.rejects(loadProviders(folder), {
        message: `${join(folder, file)} exports no provider. Its default export must be defineProvider({ … }).`
      })
    })
  }
})

t.test('the second of two files that define one name is named', async t => {
  const folder = folderWith(t, { 'a.ts': definition('acme'), 'b.ts': definition('acme') })
  await t.rejects(loadProviders(folder), { message: `${join(folder, 'b.ts')}: another file in ${folder} defines acme already.` })
})

t.test('what a definition throws passes, and so does a folder that is not there', async t => {
  const folder = folderWith(t, { 'acme.ts': `throw new TypeError('provider "acme": color must be #rrggbb')` })
  await t.rejects(loadProviders(folder), { name: 'TypeError', message: 'provider "acme": color must be #rrggbb' })
  await t.rejects(loadProviders(join(folder, 'absent')), { code: 'ENOENT' })
})
