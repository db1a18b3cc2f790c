import { didYouMean } from '../util/nearest-name.ts'

/** Notes a problem of a field. */
export type Report = (field: string, requirement: string) => void

/** JSON Schema, 2020-12. */
export type JsonSchema = { readonly [keyword: string]: unknown }

/**
 * Checks one value of a definition, of which nothing is known: a definition in JSON or JavaScript has passed no type check. `schema` says as much
 * of it as JSON Schema can.
 */
export type Rule = ((value: unknown, field: string, report: Report) => void) & {
  readonly schema: JsonSchema
  /** As JSON, for a field that is missing. */
  readonly example?: string
}

export const rule = (schema: JsonSchema, check: (value: unknown, field: string, report: Report) => void): Rule =>
  Object.assign((value: unknown, field: string, report: Report) => check(value, field, report), { schema })

/** @param requirement what follows the field's name, such as `must be text` */
export const must = (requirement: string, isMet: (value: unknown) => boolean, schema: JsonSchema = {}): Rule =>
  rule(schema, (value, field, report) => {
    if (!isMet(value)) report(field, requirement)
  })

/** The rule of a field that has to be there, with what it may be. */
export const such = (as: Rule, example: unknown): Rule =>
  Object.assign((value: unknown, field: string, report: Report) => as(value, field, report), {
    schema: as.schema,
    example: JSON.stringify(example)
  })

/** A rule for each field of a type. The compiler asks for one when a field is added, and takes none away that is still needed. */
type RulesOf<T> = {
  readonly required: { readonly [Name in RequiredName<T>]: Rule }
  readonly optional: { readonly [Name in Exclude<keyof T, RequiredName<T>>]-?: Rule }
}
type RequiredName<T> = { [Name in keyof T]-?: Record<never, never> extends Pick<T, Name> ? never : Name }[keyof T]

/** An object with these fields and no others, so that a misspelled one is found. */
export function object<T extends object>({ required, optional }: RulesOf<T>): Rule {
  const rules: Readonly<Record<string, Rule>> = { ...required, ...optional }
  const schema = {
    type: 'object',
    properties: Object.fromEntries(Object.entries(rules).map(([name, { schema }]) => [name, schema])),
    required: Object.keys(required),
    additionalProperties: false
  }
  const names = Object.keys(rules)
  const parts = Object.keys(required)
  const requirement = `must be an object${parts.length > 0 ? ` with ${parts.join(', ')}` : ''}`
  return rule(schema, (value, field, report) => {
    if (!isObject(value)) return report(field || 'the definition', requirement)
    const unknown = Object.keys(value).filter(name => !names.includes(name))
    for (const name of unknown) report(within(field, name), `${unknownField}${didYouMean(name, names)}`)
    // What is missing because of a misspelled name is no second mistake.
    const meant = unknown.map(name => didYouMean(name, names))
    for (const [name, rule] of Object.entries(rules))
      if (value[name] !== undefined) rule(value[name], within(field, name), report)
      else if (Object.hasOwn(required, name) && !meant.includes(didYouMean(name, [name]))) report(within(field, name), missing(rule))
  })
}

/** Nothing would read it. */
const unknownField = 'is not a field of a definition.'

/** What a field that is not there must be. */
function missing(rule: Rule): string {
  let requirement = ''
  rule(undefined, '', (_, first) => {
    requirement ||= first
  })
  const example = rule.example === undefined || requirement.includes('such as') ? '' : `, such as ${rule.example}`
  return `is missing: it ${requirement}${example}`
}

const within = (field: string, name: string) => (field === '' ? name : `${field}.${name}`)

export const list = (item: Rule, requirement = 'must be a list', minItems = 0): Rule =>
  rule({ type: 'array', items: item.schema, ...(minItems > 0 && { minItems }) }, (value, field, report) => {
    if (!Array.isArray(value) || value.length < minItems) return report(field, requirement)
    for (const [i, one] of value.entries()) item(one, `${field}[${i}]`, report)
  })

/** An object whose names the author chooses. */
export const record = (item: Rule, name: RegExp, requirement: string): Rule =>
  rule(
    { type: 'object', additionalProperties: item.schema, propertyNames: { pattern: name.source }, minProperties: 1 },
    (value, field, report) => {
      if (!isObject(value) || Object.keys(value).length === 0) return report(field, 'must be an object with at least one member')
      for (const [key, one] of Object.entries(value)) {
        if (!name.test(key)) report(`${field}.${key}`, requirement)
        item(one, `${field}.${key}`, report)
      }
    }
  )

/** Both rules hold. The second is about fields that the first knows: with a misspelled one it would tell of the consequences. */
export const both = (one: Rule, other: (value: Readonly<Record<string, unknown>>, field: string, report: Report) => void): Rule =>
  rule(one.schema, (value, field, report) => {
    let isSpelled = true
    one(value, field, (where, requirement) => {
      isSpelled &&= !requirement.startsWith(unknownField)
      report(where, requirement)
    })
    if (isObject(value) && isSpelled) other(value, field, report)
  })

/** The rules of the first entry for which the value's field has this text. */
export const byField = (name: string, rules: Readonly<Record<string, Rule>>): Rule =>
  rule(
    {
      oneOf: Object.entries(rules).map(([kind, { schema }]) => ({
        ...schema,
        properties: { ...(schema.properties as object), [name]: { const: kind } }
      }))
    },
    (value, field, report) => {
      if (!isObject(value)) return report(field, `must be an object with ${name}`)
      const kind = value[name]
      if (typeof kind === 'string' && Object.hasOwn(rules, kind)) rules[kind]?.(value, field, report)
      else report(`${field}.${name}`, `${kind === undefined ? 'is missing: it must' : 'must'} be ${alternatives(Object.keys(rules))}`)
    }
  )

export const oneOf = (...choices: ReadonlyArray<string | boolean>): Rule =>
  must(`must be ${alternatives(choices)}`, value => choices.some(choice => choice === value), { enum: choices })

export const matching = (pattern: RegExp, requirement: string): Rule =>
  must(requirement, value => typeof value === 'string' && pattern.test(value), {
    type: 'string',
    ...(!pattern.ignoreCase && { pattern: pattern.source })
  })

export const anyText: Rule = must('must be text', value => typeof value === 'string', { type: 'string' })
export const text: Rule = rule({ type: 'string', pattern: '\\S' }, (value, field, report) => {
  if (typeof value !== 'string') report(field, 'must be text')
  else if (!/\S/.test(value)) report(field, 'is empty: it must be text')
})
export const texts: Rule = list(text, 'must be a list of texts')
export const flag: Rule = must('must be true or false', value => typeof value === 'boolean', { type: 'boolean' })
export const positiveInteger: Rule = must('must be a whole number above 0', value => Number.isSafeInteger(value) && Number(value) > 0, {
  type: 'integer',
  minimum: 1
})
export const anything: Rule = must('', () => true)

/** Texts by name. */
export const textsByName: Rule = rule({ type: 'object', additionalProperties: { type: 'string' } }, (value, field, report) => {
  if (!isObject(value)) return report(field, 'must be an object of texts')
  for (const [name, one] of Object.entries(value)) anyText(one, `${field}.${name}`, report)
})

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const alternatives = (choices: ReadonlyArray<string | boolean>): string =>
  choices.map(choice => (typeof choice === 'string' ? `'${choice}'` : String(choice))).join(' or ')
