import type { Variables } from '../core/provider/template.ts'

/** What a text has in place of a template's expressions, and what follows the template. */
export type Match = { readonly variables: Variables; readonly rest: string }

type Matcher = (text: string) => Match | undefined

const expression = /\{([a-z][a-z0-9_]*)\}/g
const compiled = new Map<string, Matcher>()

/** Matches the whole of a header, a parameter, or a part of one. @returns `undefined` for a text that the template cannot have made */
export const matchText = (template: string, text: string): Match | undefined =>
  matcher(`text ${template}`, () => compile(template, '([\\s\\S]*?)', '()$', value => value))(text)

/** Matches a whole path. */
export const matchPath = (template: string, path: string): Match | undefined =>
  matcher(`path ${template}`, () => compile(template, '([^/]+)', '()$', decode))(path)

/** Matches a path that is `template` or lies below it: the rest is then empty or begins with a slash. */
export const matchBase = (template: string, path: string): Match | undefined =>
  matcher(`base ${template}`, () => compile(template, '([^/]+)', '(|/[\\s\\S]*)$', decode))(path)

function matcher(key: string, create: () => Matcher): Matcher {
  const known = compiled.get(key) ?? create()
  compiled.set(key, known)
  return known
}

function compile(template: string, value: string, end: string, decodeValue: (text: string) => string | undefined): Matcher {
  const names = [...template.matchAll(expression)].map(([, name = '']) => name)
  const literals = template.split(expression).filter((_, index) => index % 2 === 0)
  const pattern = new RegExp(`^${literals.map(literal => escapeRegExp(literal)).join(value)}${end}`)
  return text => {
    const match = pattern.exec(text)
    if (!match) return undefined
    const variables: Record<string, string> = {}
    for (const [index, name] of names.entries()) {
      const decoded = decodeValue(match[index + 1] ?? '')
      // The same expression twice stands for the same value.
      if (decoded === undefined || (Object.hasOwn(variables, name) && variables[name] !== decoded)) return undefined
      variables[name] = decoded
    }
    return { variables, rest: match.at(-1) ?? '' }
  }
}

const escapeRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
