import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { loadProviders } from '../src/config/load-providers.ts'
import { DefinitionError, defineProvider } from '../src/core/provider/define-provider.ts'
import type { Provider } from '../src/core/provider/definition.ts'
import { isObject } from '../src/core/provider/rules.ts'
import { fullDefinitions } from './support/full-definitions.ts'

const schema = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'docs', 'reference', 'provider.schema.json'), 'utf8'))
// The format `regex` is for editors: our patterns have another flag than it means.
const ajv = new Ajv2020({ strict: true, allErrors: true, validateFormats: false })
const isValid = ajv.compile(schema)

/** The problems by our own rules. */
function problemsOf(definition: unknown): string[] {
  try {
    defineProvider(definition as Provider)
    return []
  } catch (error) {
    if (error instanceof DefinitionError) return error.problems.map(({ field, requirement }) => `${field} ${requirement}`)
    throw error
  }
}

t.test('every definition that we ship is valid by the schema', async t => {
  for (const definition of await loadProviders()) t.ok(isValid({ ...definition }), definition.name, { errors: isValid.errors })
})

t.test('a definition may name the schema', async t => {
  t.ok(isValid({ $schema: './node_modules/grantkeeper/provider.schema.json', ...fullDefinitions[0] }))
})

t.test('the definition in the documentation is sound', async t => {
  const page = readFileSync(join(import.meta.dirname, '..', 'docs', 'adding-a-provider.md'), 'utf8')
  const [, block = ''] = /```json\n(\{[\s\S]+?\n\})\n```/.exec(page) ?? []
  const { $schema, ...definition } = JSON.parse(block)
  t.strictSame(problemsOf(definition), [])
  t.ok(isValid({ $schema, ...definition }))
})

t.test('the definitions of this test have every field of the schema', async t => {
  const used = new Set<unknown>()
  const note = (part: unknown, value: unknown): void => {
    if (!isObject(part)) return
    if (typeof part.$ref === 'string') note(schema.$defs[part.$ref.replace('#/$defs/', '')], value)
    for (const one of [part.anyOf, part.oneOf].flat()) if (one && ajv.validate({ ...one, $defs: schema.$defs }, value)) note(one, value)
    if (Array.isArray(value)) for (const one of value) note(part.items, one)
    if (!isObject(value)) return
    for (const [name, field] of Object.entries(value)) {
      const property = isObject(part.properties) ? part.properties[name] : part.additionalProperties
      if (property !== undefined) used.add(property)
      note(property, field)
    }
  }
  for (const definition of fullDefinitions) note(schema, definition)
  const unused: string[] = []
  const visit = (part: unknown, path: string): void => {
    if (Array.isArray(part)) for (const [i, one] of part.entries()) visit(one, `${path}/${i}`)
    if (!isObject(part)) return
    if (isObject(part.properties))
      for (const [name, property] of Object.entries(part.properties)) if (!used.has(property)) unused.push(`${path}/${name}`)
    for (const [name, one] of Object.entries(part)) visit(one, `${path}/${name}`)
  }
  visit(schema, '')
  t.strictSame(
    // A source that a method lacks is refused by the rules: the account of a key is not in a token.
    unused.filter(path => path !== '/$schema'),
    []
  )
})

/** What a schema cannot say: how fields belong together, and what URLs and regular expressions are. */
const beyondSchema =
  /uses \{|makes a host of|has the name of|is missing: it must be there|must be left out|must (?:have|be) (?:a path|an id|one of|a prefix|'lookup' where)|must match|must have openid|is not used|must follow|for the same scopes|must not be|at the origin|must be a host|an https URL/

type Change = readonly [what: string, definition: unknown]

/** Every definition with one change: a field left out, misspelled, or of another type. */
function* changesOf(value: unknown, rebuild: (changed: unknown) => unknown, path = ''): Generator<Change> {
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) yield* fieldChanges(item, one => rebuild(value.with(i, one)), `${path}/${i}`)
    return
  }
  if (!isObject(value)) return
  for (const [name, field] of Object.entries(value)) {
    const { [name]: _, ...others } = value
    yield [`${path}/${name} left out`, rebuild(others)]
    yield [`${path}/${name} misspelled`, rebuild({ ...others, [`${name}X`]: field })]
    yield* fieldChanges(field, one => rebuild({ ...value, [name]: one }), `${path}/${name}`)
  }
}

function* fieldChanges(field: unknown, rebuild: (changed: unknown) => unknown, path: string): Generator<Change> {
  for (const other of [null, 7, -0.5, true, 'text', '', [], {}]) yield [`${path} as ${JSON.stringify(other)}`, rebuild(other)]
  yield* changesOf(field, rebuild, path)
}

t.test('schema and rules agree about every field that is left out, misspelled or of another type', async t => {
  let count = 0
  for (const definition of fullDefinitions) {
    t.strictSame(problemsOf(definition), [])
    t.ok(isValid(definition), definition.name, { errors: isValid.errors })
    for (const [what, changed] of changesOf(JSON.parse(JSON.stringify(definition)), one => one)) {
      count++
      const problems = problemsOf(changed)
      const bySchema = !isValid(changed)
      if (bySchema && problems.length === 0) t.fail(`${what}: only the schema refuses it`, { errors: isValid.errors })
      if (!bySchema && problems.some(problem => !beyondSchema.test(problem)))
        t.fail(`${what}: only the rules refuse it: ${problems.join('; ')}`)
    }
  }
  t.ok(count > 2_000, `${count} changes`)
})
