import { resolvePointer } from '../util/json-pointer.ts'
import type { Provider } from './definition.ts'
import { isBelow, isPublicHostName } from './host-name.ts'
import type { LearntValue, LearntValues } from './parameter.ts'
import { positionsOf, unmetPosition } from './placed-values.ts'
import type { Variables } from './template.ts'

/** As long as a URL may be. */
const maxCharacters = 2048

/** The provider has not sent a value that its definition needs, or has sent it in another form. Its message never has the value. */
export class LearntValueError extends Error {
  override readonly name = 'LearntValueError'
  readonly value: string

  constructor(value: string, problem: string) {
    super(`the provider’s ${value} ${problem}`)
    this.value = value
  }
}

/**
 * Reads the values that come from one document.
 * @param document the parsed token response or look-up, the callback's query as an object, or the key
 * @param isOptional leaves out what the document lacks: a refresh need not repeat what the sign-in has said
 * @throws {LearntValueError} when one is missing, or has another form than it must
 */
export function learnValues(
  definition: Provider,
  values: LearntValues = {},
  from: LearntValue['from'],
  document: unknown,
  { isOptional = false } = {}
): Variables {
  const learnt: Record<string, string> = {}
  for (const [name, value] of Object.entries(values)) {
    if (value.from !== from) continue
    const raw = rawValue(value, document) ?? value.default
    if (raw === undefined && (isOptional || value.optional)) continue
    const text = typeof raw === 'number' && Number.isSafeInteger(raw) ? String(raw) : raw
    if (typeof text !== 'string' || text === '') throw new LearntValueError(name, raw === undefined ? 'is missing' : 'is not text')
    learnt[name] = formed(definition, name, value, text)
  }
  return learnt
}

function rawValue({ from, pointer = '', parameter = '' }: LearntValue, document: unknown): unknown {
  if (from === 'key') return document
  return resolvePointer(document, from === 'callback' ? `/${parameter.replaceAll('~', '~0').replaceAll('/', '~1')}` : pointer)
}

function formed(definition: Provider, name: string, { pattern, oneOf, suffix, secret }: LearntValue, text: string): string {
  const fail = (problem: string): never => {
    throw new LearntValueError(name, problem)
  }
  if (text.length > maxCharacters) fail(`is longer than ${maxCharacters} characters`)
  if (!text.isWellFormed() || /\p{Cc}/u.test(text)) fail('is not text on one line')
  const match = pattern === undefined ? undefined : new RegExp(`^(?:${pattern})$`, 'v').exec(text)
  if (match === null) fail('has another form than the definition says')
  const value = match?.[1] ?? text
  if (oneOf && !oneOf.includes(value)) fail('is none of those that the definition lists')
  if (suffix !== undefined && !isBelowOne(value, [suffix].flat())) fail('is not at a host of the provider')
  if (secret && !/^[\x21-\x7e]+$/.test(value)) fail('is not a credential')
  const isHost = suffix !== undefined || oneOf !== undefined
  const unmet = isHost && /^https:/i.test(value) ? undefined : unmetPosition(value, positionsOf(definition).get(name), isHost)
  if (unmet !== undefined) fail(unmet)
  return value
}

function isBelowOne(value: string, suffixes: readonly string[]): boolean {
  const url = URL.parse(/^https:\/\//i.test(value) ? value : `https://${value}`)
  if (url?.username !== '' || url.password !== '' || url.port !== '' || /[?#\\]/.test(value)) return false
  return isPublicHostName(url.hostname) && suffixes.some(suffix => isBelow(url.hostname, suffix))
}
