import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { guardPath } from '../src/core/guards/path.ts'
import { defineProvider } from '../src/core/provider/define-provider.ts'
import type { Provider } from '../src/core/provider/definition.ts'
import type { Parameter } from '../src/core/provider/parameter.ts'
import type { Placement } from '../src/core/provider/request-template.ts'

const folder = join(import.meta.dirname, '..', 'providers')
const files = readdirSync(folder).sort()

const isDay = (text: string) => /^\d{4}-\d{2}-\d{2}$/.test(text) && new Date(`${text}T00:00:00Z`).toJSON().startsWith(text)
const stringsIn = (value: unknown): string[] =>
  typeof value === 'string' ? [value] : typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : []
const methodsOf = ({ methods }: Provider) => [methods.oauth2, methods.apiKey].filter(method => method !== undefined)
/** Paths that the gateway requests itself, at the base `api`, as they are for one connection: `{company}` stands for one segment. */
const ownPaths = ({ oauth2, apiKey }: Provider['methods']) =>
  [oauth2, apiKey]
    .flatMap(method => [method?.check?.path, method?.lookup?.path, method?.account?.from === 'lookup' ? method.account.path : undefined])
    .filter(path => path !== undefined)
    .map(path => path.replaceAll(/\{\w+\}/g, 'x'))
const placementsOf = (provider: Provider): readonly Placement[] => [
  ...methodsOf(provider).flatMap(({ placements }) => placements ?? []),
  ...Object.values(provider.api.bases ?? {}).flatMap(base => (typeof base === 'string' ? [] : (base.placements ?? [])))
]
/** What users are asked for. */
const questionsOf = ({ parameters, methods }: Provider): readonly Parameter[] => [
  ...Object.values(parameters ?? {}),
  ...Object.values(methods.apiKey?.fields ?? {})
]
const isSentence = (text: string) => /^[A-Z].{9,}\.$/.test(text)

/** What holds for every definition: a sentence and its test. */
const rules: Record<string, (provider: Provider, text: string) => unknown> = {
  'is valid and frozen': provider => defineProvider({ ...provider }) !== undefined && Object.isFrozen(provider),
  // Templates are no URLs yet; the rules of a definition ask for https where they become some.
  'names https URLs only': ({ api, methods }) => stringsIn([api, methods]).every(text => !/^http:/i.test(text)),
  // Some titles are written in lower case, as monday.com.
  'has a title and a description for users': ({ title, description }) =>
    /^[\p{L}\d]/u.test(title) && /^[A-Z].{9,99}[^.]$/.test(description),
  'tells users how to connect by each method, one sentence a step': provider =>
    methodsOf(provider).every(({ help }) => help.steps.length > 0 && help.steps.every(isSentence)),
  'tells users in a sentence where to find what is asked of them': provider =>
    questionsOf(provider).every(({ hint, operator }) => operator || hint === undefined || isSentence(hint)),
  'writes a note on plans as a sentence': provider =>
    methodsOf(provider).every(({ help }) => help.plan === undefined || /^[A-Z].*\.$/.test(help.plan)),
  'names the source of each fact, and the day it was read': ({ sources }) =>
    sources.length > 0 && sources.every(({ facts, from, checked }) => facts.length > 5 && from.length > 3 && isDay(checked)),
  'has a source for its API': ({ sources }) => sources.some(({ facts }) => /API base/i.test(facts)),
  'has a source for its OAuth': ({ sources, methods }) => !methods.oauth2 || sources.some(({ facts }) => /authorize|OAuth/.test(facts)),
  'has a source for its revocation': ({ sources, methods }) =>
    !(methods.oauth2?.revokeUrl ?? methods.oauth2?.revokeRequest) ||
    sources.some(({ facts }) => /revoke|revocation|all of OAuth/.test(facts)),
  'has a source for how its tokens live': ({ sources, methods }) =>
    !methods.oauth2?.tokens || sources.some(({ facts }) => /lifetime|expire|refresh/i.test(facts)),
  'has a source for its keys': ({ sources, methods }) => !methods.apiKey || sources.some(({ facts }) => /key|token/i.test(facts)),
  'has a source for its page for keys': ({ sources, methods }) =>
    !methods.apiKey?.keysUrl || sources.some(({ facts }) => /page for keys/.test(facts)),
  'has paths that pass the guard': ({ api, methods }) =>
    [...(api.paths ?? []), ...ownPaths(methods)].every(path => path.startsWith('/') && guardPath(path) === path.split('?')[0]),
  'places a key in a path after a whole segment': provider =>
    placementsOf(provider).every(p => p.in !== 'path' || /^(\/[\w-]+)+$/.test(p.after)),
  'requests each scope once': ({ methods }) => new Set(methods.oauth2?.scopes).size === (methods.oauth2?.scopes.length ?? 0),
  'says in words what each scope allows': ({ methods: { oauth2 } }) =>
    !oauth2 || oauth2.scopes.every(scope => /^[a-z].{7,}[^.]$/.test(oauth2.scopeTexts?.[scope] ?? '')),
  // Sources are not to be shortened for it.
  'has 15 to 70 lines, its translations and sources apart': (_, text) => {
    const lines = text
      .replace(/^ {2}translations: \{\n[\s\S]*?^ {2}\},?\n/m, '')
      .replace(/^ {2}sources: \[\n[\s\S]*?^ {2}\],?\n/m, '')
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
