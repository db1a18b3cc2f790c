import { didYouMean } from '../util/nearest-name.ts'

/** Notes a problem of a field. */
export type Report = (field: string, requirement: string) => void

/** JSON Schema, 2020-12. */
export type JsonSchema = { readonly [keyword: string]: unknown }

/**
 * Checks one value of a definition, of which nothing is known: a definition in JSON or JavaScript has passed no type check. `schema` says as much
 * of it as JSON Schema can.
 */
export type Rule = ((value: unknown, field: string, report: Report) => void) & { readonly schema: JsonSchema }

export const rule = (schema: JsonSchema, check: (value: unknown, field: string, report: Report) => void): Rule =>
  Object.assign((value: unknown, field: string, report: Report) => check(value, field, report), { schema })

/** @param requirement what follows the field's name, such as `must be text` */
export const must = (requirement: string, isMet: (value: unknown) => boolean, schema: JsonSchema = {}): Rule =>
  rule(schema, (value, field, report) => {
    if (!isMet(value)) report(field, requirement)
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
  return rule(schema, (value, field, report) => {
    if (!isObject(value)) return report(field || 'the definition', 'must be an object')
    for (const [name, rule] of Object.entries(rules))
      if (value[name] !== undefined || Object.hasOwn(required, name)) rule(value[name], within(field, name), report)
    reportUnknown(value, Object.keys(rules), field, report)
  })
}

/** Reports fields that no type has: nothing would read them. */
function reportUnknown(value: object, known: readonly string[], field: string, report: Report): void {
  for (const name of Object.keys(value))
    if (!known.includes(name)) report(within(field, name), `is not a field of a definition.${didYouMean(name, known)}`)
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

/** A rule whose problems name another field than the path to it. */
export const called = (name: string, named: Rule): Rule => rule(named.schema, (value, _field, report) => named(value, name, report))

/** Both rules hold. */
export const both = (one: Rule, other: (value: Readonly<Record<string, unknown>>, field: string, report: Report) => void): Rule =>
  rule(one.schema, (value, field, report) => {
    one(value, field, report)
    if (isObject(value)) other(value, field, report)
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
      if (!isObject(value)) return report(field, 'must be an object')
      const kind = value[name]
      if (typeof kind === 'string' && Object.hasOwn(rules, kind)) rules[kind]?.(value, field, report)
      else report(`${field}.${name}`, `must be ${alternatives(Object.keys(rules))}`)
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
export const text: Rule = matching(/\S/, 'must be text')
export const texts: Rule = list(text, 'must be a list of texts')
export const flag: Rule = must('must be true or false', value => typeof value === 'boolean', { type: 'boolean' })
export const positiveInteger: Rule = must('must be a whole number above 0', value => Number.isSafeInteger(value) && Number(value) > 0, {
  type: 'integer',
  minimum: 1
})
export const anything: Rule = must('', () => true)

/** Texts by name. */
export const textsByName: Rule = must(
  'must be an object of texts',
  value => isObject(value) && Object.values(value).every(one => typeof one === 'string'),
  { type: 'object', additionalProperties: { type: 'string' } }
)

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const alternatives = (choices: ReadonlyArray<string | boolean>): string =>
  choices.map(choice => (typeof choice === 'string' ? `'${choice}'` : String(choice))).join(' or ')
