import { createHash } from 'node:crypto'
import type { Provider } from '../core/provider/definition.ts'
import { learnValues } from '../core/provider/learn-values.ts'
import type { LearntValue } from '../core/provider/parameter.ts'

/** A text of the same form as the example, with other letters and digits: the same for the same seed. */
function variantOf(example: string, seed: string): string {
  const digest = createHash('sha256').update(seed).digest()
  return [...example]
    .map((character, index) => {
      const step = digest[index % digest.length] ?? 0
      if (/[1-9]/.test(character)) return String(((Number(character) - 1 + step) % 9) + 1)
      if (/[a-f]/.test(character)) return String.fromCharCode(97 + ((character.charCodeAt(0) - 97 + step) % 6))
      if (/[g-z]/.test(character)) return String.fromCharCode(103 + ((character.charCodeAt(0) - 103 + step) % 20))
      return character
    })
    .join('')
}

/**
 * What an account has for a learnt value, as the vendor sends it: another value for each account and each item of a list, unless the definition
 * knows no other that is of the right form.
 * @param seed empty for the example itself
 */
export function rawValue(definition: Provider, name: string, value: LearntValue, seed: string): string {
  const { example, suffix } = value
  if (seed === '') return example
  // Of a host or its URL only the first label is another one.
  const [, scheme = '', label = '', rest = ''] =
    suffix === undefined ? ['', '', example, ''] : (/^(https:\/\/)?([^.]*)(.*)$/.exec(example) ?? [])
  const changed = variantOf(label, seed)
  // What the form has at its beginning, as `acct_`, stays.
  const variants = [...label].map((_, index) => scheme + label.slice(0, index) + changed.slice(index) + rest)
  return variants.find(variant => learns(definition, name, value, variant) !== undefined) ?? example
}

/** What the gateway makes of a value that it reads. @returns `undefined` if the definition does not accept it */
export function learns(definition: Provider, name: string, value: LearntValue, raw: string): string | undefined {
  try {
    return learnValues(definition, { [name]: { ...value, from: 'key' } }, 'key', raw)[name]
  } catch {
    return undefined
  }
}
