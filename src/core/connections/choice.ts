import type { Choice as ChoiceRule } from '../provider/parameter.ts'
import { toAccountName } from '../util/display-text.ts'
import { resolvePointer } from '../util/json-pointer.ts'
import { toAccountId } from './account.ts'

/** What the user can choose among, and has chosen, such as one of several sites. */
export type Choice = {
  /** Of the chosen one. */
  readonly value: string
  readonly options: readonly Option[]
}

/** `name` is for people. */
type Option = { readonly value: string; readonly name: string }

/** More is no list to choose from, and would fill the connection's record. */
const maxOptions = 100

/** The items of a look-up's response that have an id, each once. */
export function choicesIn(document: unknown, { items, id, name }: ChoiceRule): Array<{ readonly option: Option; readonly item: unknown }> {
  const list = resolvePointer(document, items)
  const found = new Map<string, { option: Option; item: unknown }>()
  for (const item of Array.isArray(list) ? list : []) {
    const value = toAccountId(resolvePointer(item, id))
    if (value === undefined || found.has(value)) continue
    found.set(value, { option: { value, name: toAccountName(resolvePointer(item, name)) ?? toAccountName(value) ?? value }, item })
    if (found.size === maxOptions) break
  }
  return [...found.values()]
}
