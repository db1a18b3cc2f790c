import { createHash } from 'node:crypto'
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { exclusively } from './exclusively.ts'
import type { Owner } from './node-process.ts'
import { runNpm } from './run-npm.ts'
import { temporaryFolder } from './temporary-folder.ts'

const root = join(import.meta.dirname, '..', '..')

/** What the package is made of. */
const inputs = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'README.md',
  'LICENSE',
  'docs/reference/provider.schema.json'
].concat(['scripts', 'src', 'plugins', 'providers'].map(folder => `${folder}/**`))

/** Outside of this folder, whose `node_modules` would stand in for what the package does not bring. */
const folder = join(tmpdir(), `grantkeeper-package-${userInfo().uid}-${createHash('sha256').update(root).digest('hex').slice(0, 12)}`)

type Manifest = {
  readonly name: string
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
  readonly engines: { readonly node: string }
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
  readonly bin: { readonly grantkeeper: string }
}

export type InstalledPackage = {
  /** A project in which nothing but the package is installed. */
  readonly project: string
  readonly tarball: string
  /** The package's `package.json`. */
  readonly manifest: Manifest
}

/**
 * Packs the working tree with `npm pack`, build included, and installs the tarball into an empty project. What it installs is kept until the
 * sources change: all test files of a run share it, and must not write into it.
 * @throws {Error} with npm's output
 */
export function installTarball(): InstalledPackage {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
  const tarball = join(folder, `grantkeeper-${manifest.version}.tgz`)
  const project = join(folder, 'project')
  exclusively(folder, () => {
    const seal = join(project, '.sources')
    const hash = hashOfInputs()
    if (existsSync(seal) && readFileSync(seal, 'utf8') === hash) return
    pack()
    install(project, tarball, manifest)
    writeFileSync(seal, hash)
  })
  return { project, tarball, manifest }
}

/** A project of the test's own, for its files, with what `installTarball` has installed. @returns its folder */
export function newProject(owner: Owner): string {
  const folder = temporaryFolder(owner)
  symlinkSync(join(installTarball().project, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  return folder
}

function hashOfInputs(): string {
  const hash = createHash('sha256').update(readFileSync(import.meta.filename))
  for (const file of inputs.flatMap(pattern => globSync(pattern, { cwd: root })).sort()) {
    const path = join(root, file)
    if (statSync(path).isFile()) hash.update(`${file}\0`).update(readFileSync(path))
  }
  return hash.digest('hex')
}

/** In a copy, so that a build neither changes `dist` here nor reads what is half written. */
function pack(): void {
  const copy = join(folder, 'source')
  rmSync(copy, { recursive: true, force: true })
  for (const input of inputs) {
    const name = input.replace('/**', '')
    cpSync(join(root, name), join(copy, name), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  runNpm(copy, ['pack', '--pack-destination', folder])
}

/**
 * With the versions of our own lock file: the test does not depend on what others have published since, and after `npm ci` here nearly all of
 * it is in npm's cache.
 */
function install(project: string, tarball: string, { bin }: Manifest): void {
  rmSync(project, { recursive: true, force: true })
  mkdirSync(project)
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>
  }
  const { '': own, ...others } = packages
  const installed = Object.entries(others).filter(([, { dev }]) => !dev)
  const dependencies = { grantkeeper: `file:${tarball}` }
  const app = { name: 'app', version: '1.0.0', private: true, type: 'module', dependencies }
  const lock = {
    name: 'app',
    lockfileVersion: 3,
    packages: {
      '': { name: 'app', version: '1.0.0', dependencies },
      'node_modules/grantkeeper': { ...own, bin, devDependencies: undefined, resolved: `file:${tarball}` },
      ...Object.fromEntries(installed)
    }
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify(app))
  writeFileSync(join(project, 'package-lock.json'), JSON.stringify(lock))
  runNpm(project, ['ci', '--prefer-offline', '--no-audit', '--no-fund'])
}
