import { toSingleLine } from './display-text.ts'

const maxCharacters = 200

/** What a provider calls an account, as our pages can show it. */
export function accountName(told: unknown): string | undefined {
  if (typeof told !== 'string') return undefined
  const name = toSingleLine(told).trim()
  return name === '' ? undefined : [...name].slice(0, maxCharacters).join('')
}
