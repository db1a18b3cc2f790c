import type { Choice, LearntValue, Lookup, Parameter } from './parameter.ts'
import { checkTarget, gatewayRequest } from './request-rules.ts'
import { anyText, both, flag, list, object, oneOf, type Rule, record, rule, such, text } from './rules.ts'
import { pattern, pointer, suffix } from './text-rules.ts'

const name = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/
const nameRequirement = 'must be named by lower-case words joined by "_"'

const matches = (source: unknown, value: unknown): boolean => {
  try {
    return new RegExp(`^(?:${source})$`, 'v').test(String(value))
  } catch {
    return true // Reported as the pattern’s own problem.
  }
}

const parameter = both(
  object<Parameter>({
    required: { title: such(text, 'Shop'), example: such(text, 'my-shop') },
    optional: {
      hint: text,
      pattern,
      oneOf: record(text, /./, 'must have a name'),
      suffix,
      isHost: flag,
      secret: flag,
      verbatim: flag,
      default: text,
      operator: flag
    }
  }),
  ({ pattern, example, oneOf, isHost, suffix, secret, default: fallback }, field, report) => {
    const isList = typeof oneOf === 'object' && oneOf !== null
    for (const [one, value] of Object.entries({ example, default: fallback })) {
      if (value === undefined) continue
      if (isList && !Object.hasOwn(oneOf, String(value)))
        report(`${field}.${one}`, `must be one of the values of oneOf: ${Object.keys(oneOf).join(', ')}`)
      if (pattern !== undefined && !matches(pattern, value))
        report(`${field}.${one}`, `must match the pattern: ${JSON.stringify(value)} is not ${pattern}`)
    }
    if ([isList, isHost === true].filter(Boolean).length + Number(suffix !== undefined) > 1)
      report(field, 'must have one of oneOf, isHost and suffix')
    if (secret === true && isHost === true) report(field, 'must not be secret: it is part of an address')
  }
)

/** Of the query that begins a sign-in, in which parameters are given by their names. */
const signInNames = ['return_to', 'account', 'login_hint', 'prompt', 'scopes']

export const fields: Rule = record(parameter, name, nameRequirement)

export const parameters: Rule = both(fields, (value, field, report) => {
  for (const one of signInNames.filter(one => Object.hasOwn(Object(value), one)))
    report(`${field}.${one}`, 'must have another name: this one means something else where a sign-in begins')
})

const value = both(
  object<LearntValue>({
    required: { from: oneOf('token', 'callback', 'lookup', 'key'), example: such(text, 'eu') },
    optional: {
      pointer,
      parameter: text,
      pattern,
      oneOf: list(text, 'must list the values', 1),
      suffix: rule({ anyOf: [suffix.schema, { type: 'array', items: suffix.schema }] }, (value, field, report) => {
        if (!Array.isArray(value)) return suffix(value, field, report)
        for (const [i, one] of value.entries()) suffix(one, `${field}[${i}]`, report)
      }),
      secret: flag,
      default: anyText,
      optional: flag
    }
  }),
  ({ from, pointer, parameter }, field, report) => {
    if (from === undefined) return
    const wanted = from === 'callback' ? 'parameter' : from === 'key' ? undefined : 'pointer'
    for (const [one, given] of Object.entries({ pointer, parameter }))
      if ((given !== undefined) !== (one === wanted))
        report(
          `${field}.${one}`,
          one === wanted ? `is missing: it must be there, since it is from the ${from}` : `must be left out, since it is from the ${from}`
        )
  }
)

/** @param sources the documents that the method has */
export const learntValues = (sources: ReadonlyArray<LearntValue['from']>): Rule => {
  const known = both(value, ({ from }, field, report) => {
    if (from !== undefined && !sources.some(source => source === from))
      report(`${field}.from`, `must be ${sources.map(source => `'${source}'`).join(' or ')}`)
  })
  return record(known, name, nameRequirement)
}

/** @param origins at which a look-up may send the credential */
export const lookup = (origins: readonly string[]): Rule =>
  both(
    object<Lookup>({
      required: {},
      optional: {
        ...gatewayRequest,
        choose: object<Choice>({ required: { title: text, items: pointer, id: pointer, name: pointer }, optional: {} })
      }
    }),
    checkTarget(origins)
  )
