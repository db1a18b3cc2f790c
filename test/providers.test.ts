import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { guardPath } from '../src/core/guards/path.ts'
import { defineProvider } from '../src/core/provider/define-provider.ts'
import type { Provider } from '../src/core/provider/definition.ts'
import type { Placement } from '../src/core/provider/request-template.ts'

const folder = join(import.meta.dirname, '..', 'providers')
const files = readdirSync(folder).sort()

const isDay = (text: string) => /^\d{4}-\d{2}-\d{2}$/.test(text) && new Date(`${text}T00:00:00Z`).toJSON().startsWith(text)
const stringsIn = (value: unknown): string[] =>
  typeof value === 'string' ? [value] : typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : []
const methodsOf = ({ methods }: Provider) => [methods.oauth2, methods.apiKey].filter(method => method !== undefined)
/** Paths that the gateway requests itself. */
const ownPaths = ({ oauth2, apiKey }: Provider['methods']) =>
  [oauth2, apiKey].flatMap(method => [
    method?.check?.path ?? [],
    method?.lookup?.path ?? [],
    method?.account?.from === 'lookup' ? (method.account.path ?? []) : []
  ])
const placementsOf = (provider: Provider): readonly Placement[] => methodsOf(provider).flatMap(({ placements }) => placements ?? [])

/** What holds for every definition: a sentence and its test. */
const rules: Record<string, (provider: Provider, text: string) => unknown> = {
  'is valid and frozen': provider => defineProvider({ ...provider }) !== undefined && Object.isFrozen(provider),
  'names https URLs only': ({ api, methods }) =>
    stringsIn([api, methods])
      .filter(text => /^\w+:\/\//.test(text))
      .every(url => URL.parse(url)?.protocol === 'https:'),
  'has a title and a description for users': ({ title, description }) => /^[A-Z]/.test(title) && /^[A-Z].{9,99}[^.]$/.test(description),
  'tells users how to connect by each method, one sentence a step': provider =>
    methodsOf(provider).every(({ help }) => help.steps.length > 0 && help.steps.every(step => /^[A-Z].{9,}\.$/.test(step))),
  'writes a note on plans as a sentence': provider =>
    methodsOf(provider).every(({ help }) => help.plan === undefined || /^[A-Z].*\.$/.test(help.plan)),
  'names the source of each fact, and the day it was read': ({ sources }) =>
    sources.length > 0 && sources.every(({ facts, from, checked }) => facts.length > 5 && from.length > 3 && isDay(checked)),
  'has a source for its API': ({ sources }) => sources.some(({ facts }) => /API base/i.test(facts)),
  'has a source for its OAuth': ({ sources, methods }) => !methods.oauth2 || sources.some(({ facts }) => /authorize|OAuth/.test(facts)),
  'has a source for its revocation': ({ sources, methods }) =>
    !methods.oauth2?.revokeUrl || sources.some(({ facts }) => /revoke|all of OAuth/.test(facts)),
  'has a source for its keys': ({ sources, methods }) => !methods.apiKey || sources.some(({ facts }) => /key|token/i.test(facts)),
  'has a source for its page for keys': ({ sources, methods }) =>
    !methods.apiKey?.keysUrl || sources.some(({ facts }) => /page for keys/.test(facts)),
  'has paths that pass the guard': ({ api, methods }) =>
    [...(api.paths ?? []), ...ownPaths(methods).flat()].every(path => path.startsWith('/') && guardPath(path) === path.split('?')[0]),
  'places a key in a path after a whole segment': provider =>
    placementsOf(provider).every(p => p.in !== 'path' || /^(\/[\w-]+)+$/.test(p.after)),
  'requests each scope once': ({ methods }) => new Set(methods.oauth2?.scopes).size === (methods.oauth2?.scopes.length ?? 0),
  'says in words what each scope allows': ({ methods: { oauth2 } }) =>
    !oauth2 || oauth2.scopes.every(scope => /^[a-z].{7,}[^.]$/.test(oauth2.scopeTexts?.[scope] ?? '')),
  'has 15 to 70 lines, its translations apart': (_, text) => {
    const lines = text
      .replace(/^ {2}translations: \{\n[\s\S]*?^ {2}\},?\n/m, '')
      .trimEnd()
      .split('\n').length
    return lines >= 15 && lines <= 70
  },
  // Lint does not see a dynamic import.
  'imports nothing dynamically': (_, text) => !/\bimport\(/.test(text)
}

t.ok(files.length >= 4, `${files.length} definitions`)

for (const file of files) {
  t.test(`providers/${file}`, async t => {
    const path = join(folder, file)
    const { default: provider } = (await import(pathToFileURL(path).href)) as { default: Provider }
    t.equal(`${provider.name}.ts`, file, 'is named after its provider')
    for (const [sentence, holds] of Object.entries(rules)) t.ok(holds(provider, readFileSync(path, 'utf8')), sentence)
  })
}
