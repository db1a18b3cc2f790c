import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { readConfig } from '../../../src/config/config.ts'
import { loadDefinitions } from '../../../src/config/definitions/load-definitions.ts'
import { ConfigError, type Environment } from '../../../src/config/environment.ts'
import { variableGroups } from '../../../src/config/reference.ts'
import { isReservedName, variablePrefix } from '../../../src/config/variable-prefix.ts'
import { apiKeyWith, providerWith } from '../../core/support.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { development, production } from '../support.ts'

/** A folder outside of the repository, and so without node_modules, with these files. */
function folderWith(t: Test, files: Readonly<Record<string, unknown>>): string {
  const folder = temporaryFolder(t)
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return folder
}

const definitionOf = (name: string) => providerWith({ name, methods: { apiKey: apiKeyWith({ in: 'basic' }) } })
const text = (name: string) => JSON.stringify(definitionOf(name))
const load = (from: string, variables: Environment = {}) => loadDefinitions({ PROVIDERS_FROM: from, ...variables })
const namesIn = async (from: string) => [...(await load(from)).from.keys()]

/** What a start with these definitions says. */
async function start(variables: Environment) {
  const known = await loadDefinitions(variables)
  try {
    const { warnings, providers } = readConfig({ ...development, ...variables }, known)
    return { warnings, names: [...providers.keys()], problems: [] }
  } catch (error) {
    if (error instanceof ConfigError) return { problems: error.problems, names: [], warnings: [] }
    throw error
  }
}

t.test('definitions of a folder may be JSON, TypeScript or JavaScript, plain or defined', async t => {
  const folder = folderWith(t, {
    'a.json': `\ufeff${JSON.stringify({ $schema: 'https://example.com/provider.schema.json', ...definitionOf('a') })}`,
    'b.ts': `const name: string = 'b'\nexport default { ...${text('a')}, name }`,
    'c.mjs': `import { defineProvider } from 'grantkeeper/provider'\nexport default defineProvider(${text('c')})`,
    'd.ts': `import { defineProvider, type Provider } from 'grantkeeper/provider'\nconst data = ${text('d')} as Provider\nexport default defineProvider(data)`,
    'e.js': `const { defineProvider } = require('grantkeeper/provider')\nmodule.exports = defineProvider(${text('e')})`,
    'f.mjs': `import productboard from 'grantkeeper/providers/productboard'\nexport default { ...productboard, name: 'f', title: 'F' }`,
    'tsconfig.json': '{}',
    'README.md': '# Ours',
    '.hidden.json': '{',
    'a.test.ts': 'throw new Error()',
    'types.d.ts': 'export {}'
  })
  const { definitions, names, broken, problems, warnings } = await load(folder)
  t.strictSame({ broken, problems, warnings }, { broken: [], problems: [], warnings: [] })
  t.strictSame(
    definitions.map(({ name }) => name),
    ['a', 'b', 'c', 'd', 'e', 'f']
  )
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'ignition']) t.ok(names.includes(name), name)
  t.notOk('$schema' in (definitions[0] ?? {}))
  t.equal(definitions[5]?.api.baseUrl, 'https://api.productboard.com')
})

t.test('ECMAScript modules are read as such, whatever the package.json beside them says', async t => {
  const files = (name: string) => ({
    [`${name}.ts`]: `import { text } from './text-${name}.ts'\nexport default { ...${text(name)}, name: text as string }`,
    [`text-${name}.ts`]: `export const text: string = '${name}'`,
    [`${name}-too.js`]: `import 'node:path'\nexport { definition as default }\nconst definition = ${text(`${name}-too`)}`,
    [`${name}-old.js`]: `// In the old form:\nmodule.exports = ${text(`${name}-old`)}`
  })
  for (const [name, type] of [
    ['none', undefined],
    ['old', 'commonjs'],
    ['new', 'module']
  ] as const) {
    const { [`${name}-old.js`]: commonJs, ...modules } = files(name)
    const folder = folderWith(t, { 'package.json': { type }, ...modules, ...(type !== 'module' && { [`${name}-old.js`]: commonJs }) })
    const warnings: Error[] = []
    const onWarning = (warning: Error) => void warnings.push(warning)
    process.on('warning', onWarning)
    const names = Object.keys(modules).filter(file => !file.startsWith('text'))
    const known = await load(
      names
        .concat(type === 'module' ? [] : `${name}-old.js`)
        .map(file => join(folder, file))
        .join(',')
    )
    await new Promise(resolve => setImmediate(resolve))
    process.off('warning', onWarning)
    t.strictSame(known.broken, [], name)
    t.strictSame([...known.from.keys()], [name, `${name}-too`, ...(type === 'module' ? [] : [`${name}-old`])])
    t.strictSame(warnings, [], 'Node.js has nothing to warn of')
  }
})

t.test('files, folders and packages are listed with commas, and one file counts once', async t => {
  const folder = folderWith(t, {
    'one/a.json': definitionOf('a'),
    'two.json': [definitionOf('b'), definitionOf('c')],
    'node_modules/esm-providers/package.json': { name: 'esm-providers', exports: { import: './index.mjs' } },
    'node_modules/esm-providers/index.mjs': `export const d = ${text('d')}\nexport const helper = () => {}\nexport const version = '1'`,
    'node_modules/@acme/providers/package.json': { name: '@acme/providers', main: 'index.js' },
    'node_modules/@acme/providers/index.js': `module.exports = [${text('e')}, ${text('f')}]`
  })
  symlinkSync(join(folder, 'one'), join(folder, 'link'))
  const from = process.cwd()
  process.chdir(folder)
  t.teardown(() => process.chdir(from))
  t.strictSame(await namesIn('./one, two.json,esm-providers,@acme/providers,one/a.json,link'), ['a', 'b', 'c', 'd', 'e', 'f'])
  const known = await load('one,@acme/providers')
  t.strictSame(
    [...known.from],
    [
      ['a', 'one/a.json'],
      ['e', '@acme/providers'],
      ['f', '@acme/providers']
    ]
  )
})

t.test('what is wrong with PROVIDERS_FROM itself is a problem of the start', async t => {
  const folder = folderWith(t, { 'empty/README.md': '#' })
  const problemOf = async (from: string) => (await start({ PROVIDERS_FROM: from })).problems
  t.match(await problemOf(join(folder, 'absent')), [
    /^PROVIDERS_FROM: ".*absent" cannot be read \(ENOENT\).+for example PROVIDERS_FROM=\.\/providers\.$/
  ])
  t.match(await problemOf('./absent.json'), [
    /^PROVIDERS_FROM: "\.\/absent\.json" cannot be read \(ENOENT\); it would be absent\.json in \//
  ])
  t.match(await problemOf('absent-package'), [
    /^PROVIDERS_FROM: "absent-package" is neither a file or folder in .+ nor an installed package\. Give a path such as \.\/providers, or install/
  ])
  t.match(await problemOf(join(folder, 'empty')), [
    /^PROVIDERS_FROM: the folder .*empty has no definition: no file whose name ends in \.json/
  ])
})

t.test('what looks like a definition and is not read is a warning', async t => {
  const folder = folderWith(t, {
    'a.json': definitionOf('a'),
    'b.yaml': 'name: b',
    'c.cjs': '',
    'more/d.json': definitionOf('d'),
    'assets/logo.svg': '<svg/>',
    'node_modules/x/index.js': ''
  })
  const { problems, warnings, names } = await start({ PROVIDERS_FROM: folder, PROVIDERS: 'a' })
  t.strictSame(problems, [])
  t.strictSame(names, [], 'the sandbox plays them')
  t.match(warnings, [
    /b\.yaml is not read: a definition is a file in JSON, TypeScript or JavaScript/,
    /c\.cjs is not read/,
    /the folder .+more is not read: folders in a folder are not\. List it too/
  ])
  t.equal(warnings.length, 3)
})

const broken = {
  'wrong.json': { ...definitionOf('wrong'), color: 'red', colour: '#ff0000' },
  'thrown.ts': `import { defineProvider } from 'grantkeeper/provider'\nexport default defineProvider(${JSON.stringify({ ...definitionOf('thrown'), title: '' })})`,
  'syntax.json': '{ "name": "syntax",\n',
  'syntax-too.ts': 'export default {\n  name: 1,,\n}',
  'enum.ts': `enum A { b }\nexport default {}`,
  'nothing.js': 'export {}',
  'failing.mjs': 'throw new Error("no luck")',
  'text.json': '"text"'
}
const parts: Readonly<Record<string, readonly RegExp[]>> = {
  wrong: [/wrong\.json: colour is not a field of a definition\. Did you mean color\?$/, /wrong\.json: color must be #rrggbb\.$/],
  thrown: [/thrown\.ts: title is empty: it must be text\.$/],
  syntax: [/syntax\.json: cannot be loaded: .*JSON.*line 2/],
  'syntax-too': [/syntax-too\.ts: cannot be loaded: line 2: /],
  enum: [/enum\.ts: line 1: has TypeScript that is more than types, such as an enum/],
  nothing: [/nothing\.js: has no definition: a file has it as its default export/],
  failing: [/failing\.mjs: cannot be loaded: no luck\.$/],
  text: [/text\.json: the definition must be an object with name, title, /]
}

t.test('all problems of all definitions that would be offered are told at once', async t => {
  const folder = folderWith(t, broken)
  const { problems } = await start({ PROVIDERS_FROM: folder, PROVIDERS: Object.keys(parts).join(',') })
  for (const patterns of Object.values(parts))
    for (const pattern of patterns)
      t.ok(
        problems.some(problem => pattern.test(problem)),
        String(pattern)
      )
  t.equal(problems.length, Object.values(parts).flat().length, problems.join('\n'))
})

t.test('a broken definition that is not offered is a warning, and the others are offered', async t => {
  const folder = folderWith(t, { ...broken, 'good.json': definitionOf('good') })
  for (const variables of [{ PROVIDERS: 'good', GOOD_API_URL: 'https://good.example' }, { GOOD_API_URL: 'https://good.example' }]) {
    const { problems, names, warnings } = await start({ PROVIDERS_FROM: folder, ...variables })
    t.strictSame(problems, [])
    t.strictSame(names, ['good'])
    t.equal(warnings.length, Object.values(parts).flat().length, 'one for each problem')
    for (const warning of warnings) t.match(warning, /This definition could not be offered\.$/)
  }
})

t.test('a broken definition is a problem where nothing is configured, since it may be what the start is for', async t => {
  const folder = folderWith(t, { 'wrong.json': broken['wrong.json'], 'good.json': definitionOf('good') })
  const { problems } = await start({ PROVIDERS_FROM: folder })
  t.match(problems, parts.wrong)
  t.equal(problems.length, parts.wrong?.length)
})

t.test('a provider of another name than its broken file is not taken for a misspelled one', async t => {
  const folder = folderWith(t, { 'shop.ts': broken['syntax-too.ts'] })
  const { problems } = await start({ PROVIDERS_FROM: folder, PROVIDERS: 'productbord' })
  t.match(problems, [
    /shop\.ts: cannot be loaded/,
    /^PROVIDERS: "productbord" is none of the definitions that can be read\. Correct the others first/
  ])
})

t.test('a broken definition is a problem by its client or API alone, and in production where there is no other', async t => {
  const folder = folderWith(t, { 'wrong.json': broken['wrong.json'] })
  const { ACME_CLIENT_ID: _, ACME_CLIENT_SECRET: _1, ...bare } = production
  for (const variables of [{ WRONG_CLIENT_ID: 'id' }, { WRONG_API_URL: 'https://x.example' }, bare, { PROVIDERS: 'worng' }]) {
    const { problems } = await start({ PROVIDERS_FROM: folder, ...variables })
    for (const pattern of parts.wrong ?? [])
      t.ok(
        problems.some(problem => pattern.test(problem)),
        problems.join('\n')
      )
    t.notOk(
      problems.some(problem => /WRONG_.+ is not a known variable/.test(problem)),
      problems.join('\n')
    )
  }
})

t.test('a definition that replaces one of ours says so', async t => {
  const folder = folderWith(t, { 'mine.json': definitionOf('productboard') })
  const { names, warnings } = await start({ PROVIDERS_FROM: folder, PRODUCTBOARD_API_URL: 'https://x.example' })
  t.strictSame(names, ['productboard'])
  t.match(warnings, [/mine\.json replaces our definition of productboard \(PROVIDERS_FROM\)\.$/])
  const known = await load(folder, { PROVIDERS: 'productboard' })
  t.equal(known.definitions.find(({ name }) => name === 'productboard')?.title, 'Acme')
})

t.test('two of the operator’s own with one name are a problem, and neither is offered', async t => {
  const folder = folderWith(t, { 'a.json': definitionOf('acme'), 'b.json': definitionOf('acme') })
  const { problems } = await start({ PROVIDERS_FROM: folder, PROVIDERS: 'acme' })
  t.match(problems, [/a\.json: name is "acme", as in .*b\.json\. Keep one\.$/, /b\.json: name is "acme", as in .*a\.json\. Keep one\.$/])
})

t.test('no provider has a name whose variables are the gateway’s', async t => {
  const folder = folderWith(t, { 'login.json': definitionOf('login') })
  const { problems } = await start({ PROVIDERS_FROM: folder, PROVIDERS: 'login' })
  t.match(problems, [/login\.json: name must not be "login", by which settings of the gateway begin\. Choose another\.$/])
  const names = variableGroups.flatMap(({ variables }) => Object.keys(variables))
  const suffixes = names.filter(name => name.startsWith('P_')).map(name => name.slice(2))
  for (const name of names.filter(name => !name.startsWith('P_')))
    for (const suffix of suffixes.filter(suffix => name.endsWith(`_${suffix}`)))
      t.ok(isReservedName(name.slice(0, -suffix.length - 1).toLowerCase()), name)
})

t.test('TypeScript in a package is refused, with what to do', async t => {
  const folder = folderWith(t, {
    'node_modules/typed/package.json': { name: 'typed', exports: './index.ts' },
    'node_modules/typed/index.ts': `export default ${text('typed')} as const`
  })
  const from = process.cwd()
  process.chdir(folder)
  t.teardown(() => process.chdir(from))
  const { problems } = await start({ PROVIDERS_FROM: 'typed', PROVIDERS: 'typed' })
  t.match(problems, [/^typed: is TypeScript in node_modules, which Node\.js does not run\. A package exports JavaScript/])
})

t.test('of ours only those are loaded for which a variable is set, or that PROVIDERS lists', async t => {
  const namesOf = async (variables: Environment) => (await loadDefinitions(variables)).definitions.map(({ name }) => name)
  t.strictSame(await namesOf({}), [])
  t.strictSame(await namesOf({ PROCESS_STREET_SCOPES: 'x', PRODUCTBOARDS_CLIENT_ID: 'x' }), ['process-street'])
  t.strictSame(await namesOf({ PROVIDERS: 'ignition, outgrow' }), ['ignition', 'outgrow'])
  const { names, definitions } = await loadDefinitions({}, { all: true })
  t.strictSame(
    definitions.map(({ name }) => name),
    names
  )
  t.ok(names.includes('productboard'))
  t.equal(variablePrefix({ name: 'process-street' }), 'PROCESS_STREET')
})

t.test('a misspelled variable of a provider that is not loaded is found', async t => {
  const { problems } = await start({ ...production, PRODUCTBORD_CLIENT_ID: 'abc', PROVIDERS: 'outgrow' })
  t.match(problems, [
    /^PRODUCTBORD_CLIENT_ID is not a known variable; PRODUCTBOARD_CLIENT_ID is probably meant, for example PRODUCTBOARD_CLIENT_ID=abc123\./
  ])
})
