import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { guardPath } from '../src/core/guards/path.ts'
import { defineProvider } from '../src/core/provider/define-provider.ts'
import type { Placement, Provider } from '../src/core/provider/definition.ts'

const folder = join(import.meta.dirname, '..', 'providers')
const files = readdirSync(folder).sort()

const isDay = (text: string) => /^\d{4}-\d{2}-\d{2}$/.test(text) && new Date(`${text}T00:00:00Z`).toJSON().startsWith(text)
const isHttps = (url: string | undefined) => url === undefined || URL.parse(url)?.protocol === 'https:'
const urlsOf = ({ api, methods: { oauth2 } }: Provider) => [
  api.baseUrl,
  oauth2?.authorizeUrl,
  oauth2?.tokenUrl,
  oauth2?.refreshUrl,
  oauth2?.revokeUrl,
  oauth2?.issuer
]
const methodsOf = ({ methods }: Provider) => [methods.oauth2, methods.apiKey].filter(method => method !== undefined)
const placementsOf = (provider: Provider): readonly Placement[] => methodsOf(provider).flatMap(({ placements }) => placements ?? [])

/** A definition is data; whatever can be said of every one of them is said here, a sentence each. */
const promises: Record<string, (provider: Provider, text: string) => unknown> = {
  'holds what defineProvider asks': provider => defineProvider({ ...provider }) !== undefined && Object.isFrozen(provider),
  'speaks https alone': provider => urlsOf(provider).every(isHttps),
  'says what it is, to a person': ({ title, description }) => /^[A-Z]/.test(title) && /^[A-Z].{9,99}[^.]$/.test(description),
  'says for each method how a person gets there, a sentence a step': provider =>
    methodsOf(provider).every(({ help }) => help.steps.length > 0 && help.steps.every(step => /^[A-Z].{9,}\.$/.test(step))),
  'writes a plan note, where it has one, as a sentence': provider =>
    methodsOf(provider).every(({ help }) => help.plan === undefined || /^[A-Z].*\.$/.test(help.plan)),
  'says where each fact is from, and on which day it was looked at': ({ sources }) =>
    sources.length > 0 && sources.every(({ facts, from, checked }) => facts.length > 5 && from.length > 3 && isDay(checked)),
  'has a source for its API': ({ sources }) => sources.some(({ facts }) => /API base/i.test(facts)),
  'has a source for its OAuth': ({ sources, methods }) => !methods.oauth2 || sources.some(({ facts }) => /authorize|OAuth/.test(facts)),
  'has a source for its revocation': ({ sources, methods }) =>
    !methods.oauth2?.revokeUrl || sources.some(({ facts }) => /revoke|all of OAuth/.test(facts)),
  'has a source for its keys': ({ sources, methods }) => !methods.apiKey || sources.some(({ facts }) => /key|token/i.test(facts)),
  'names headers as node does, in lower case': provider =>
    [...Object.keys(provider.api.headers ?? {}), ...placementsOf(provider).flatMap(p => (p.in === 'header' ? [p.name] : []))].every(name =>
      /^[a-z0-9-]+$/.test(name)
    ),
  'has paths that pass the guard': ({ api, methods }) =>
    [...(api.paths ?? []), ...(methods.apiKey ? [methods.apiKey.check.path] : [])].every(
      path => path.startsWith('/') && guardPath(path) === path.split('?')[0]
    ),
  'places a key in a path behind a whole segment': provider =>
    placementsOf(provider).every(p => p.in !== 'path' || /^(\/[\w-]+)+$/.test(p.after)),
  'asks for each scope once': ({ methods }) => new Set(methods.oauth2?.scopes).size === (methods.oauth2?.scopes.length ?? 0),
  'is 15 to 60 lines long': (_, text) => {
    const lines = text.trimEnd().split('\n').length
    return lines >= 15 && lines <= 60
  },
  'imports core/provider alone': (_, text) =>
    JSON.stringify([...text.matchAll(/\bfrom '([^']*)'|\bimport\(/g)].map(([, from]) => from)) ===
    '["../src/core/provider/define-provider.ts"]'
}

t.ok(files.length >= 4, `there are ${files.length}`)

for (const file of files) {
  t.test(`providers/${file}`, async t => {
    const path = join(folder, file)
    const { default: provider } = (await import(pathToFileURL(path).href)) as { default: Provider }
    t.equal(`${provider.name}.ts`, file, 'is named for what it defines')
    for (const [sentence, holds] of Object.entries(promises)) t.ok(holds(provider, readFileSync(path, 'utf8')), sentence)
  })
}
