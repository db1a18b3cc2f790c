import { isObject, matching, must, type Rule, rule, textsByName } from './rules.ts'
import { expand, variablesIn } from './template.ts'

/** Rules for the kinds of text that definitions consist of. */

export const pointer = matching(/^(?:\/(?:[^~]|~[01])*)*$/, 'must be a JSON Pointer, such as /error')
export const path = must('must begin with a slash, without blank and fragment', value => isPath(value), {
  type: 'string',
  pattern: '^/[^\\s#]*$'
})
/** Of the API's base: the path of a request follows it. */
export const baseUrl = must(
  'must be an https URL without user, fragment or trailing slash',
  value => isHttpsUrl(value) && !value.endsWith('/') && !value.includes('#'),
  urlSchema('[^/#]$')
)
/** Of an endpoint, which may end with a slash. */
export const endpointUrl = must(
  'must be an https URL without user or fragment',
  value => isHttpsUrl(value) && !value.includes('#'),
  urlSchema('^[^#]*$')
)
/** What a browser opens: a part of a page may be meant. */
export const pageUrl = must('must be an https URL without user', isHttpsUrl, urlSchema(''))

/** A host name with an optional port; `*.` only before two or more labels, since a wildcard of a whole top-level domain is a mistake. */
export const host = matching(
  /^(\*\.[a-z0-9-]+\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?$/i,
  'must be a host such as files.example.com or *.files.example.com'
)
/** Two labels at least: a suffix is what keeps a host at the vendor. */
export const suffix = matching(/^(?:\.[a-z0-9-]+){2,}$/, 'must be the end of a host name, such as .example.com')

/** Header names (RFC 9110 §5.6.2) in lower case, as `node:http` has them. */
const lowerCaseToken = /^[a-z0-9!#$%&'*+.^_`|~-]+$/
export const headerName: Rule = matching(lowerCaseToken, 'must be the name of a header in lower case, such as x-api-key')
export const headers: Rule = rule({ ...textsByName.schema, propertyNames: { pattern: lowerCaseToken.source } }, (value, field, report) => {
  textsByName(value, field, report)
  if (isObject(value)) for (const name of Object.keys(value)) headerName(name, `${field}.${name}`, report)
})

/** A regular expression for a whole value. */
export const pattern = rule({ type: 'string', format: 'regex', minLength: 1 }, (value, field, report) => {
  if (typeof value === 'string' && value !== '' && isRegExp(value, 'v')) return
  const isOfOldForm = typeof value === 'string' && value !== '' && isRegExp(value, 'u')
  report(
    field,
    isOfOldForm
      ? 'must be a regular expression with flag v (ECMA-262), in which ( ) [ ] { } / - | are written with a backslash inside of [ ]: [a-z0-9_.\\-]+'
      : 'must be a regular expression (ECMA-262, flag v), such as [a-z0-9\\-]+'
  )
})

function isRegExp(source: string, flag: string): boolean {
  try {
    new RegExp(source, flag)
    return true
  } catch {
    return false
  }
}

function urlSchema(end: string) {
  return { type: 'string', allOf: [{ pattern: '^(?:https://|\\{)' }, ...(end === '' ? [] : [{ pattern: end }])] }
}

/**
 * A template in which something of the right form stands for every expression.
 * @returns `undefined` if it has braces that are no expression, or an expression where none can stand
 */
export function filledTemplate(template: string, kind: 'url' | 'path'): string | undefined {
  const isBase = template.startsWith('{')
  const variables = Object.fromEntries(variablesIn(template).map((name, i) => [name, isBase && i === 0 ? 'https://x.vendor.com' : 'x']))
  try {
    const text = expand[kind](template, variables)
    return /[{}]/.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

function isHttpsUrl(value: unknown): value is string {
  const url = typeof value === 'string' ? URL.parse(filledTemplate(value, 'url') ?? '') : null
  return url?.protocol === 'https:' && url.username === '' && url.password === ''
}

const isPath = (value: unknown): boolean => typeof value === 'string' && /^\/[^\s#]*$/.test(filledTemplate(value, 'path') ?? '')
