/** A value and where a document has it: a JSON Pointer (RFC 6901). */
export type Entry = readonly [pointer: string, value: unknown]

/**
 * The smallest document that has these values at these places. Of two values for one place the later counts.
 * @param start what it has beside them
 */
export function buildDocument(entries: readonly Entry[], start?: unknown): unknown {
  let root = start
  for (const [pointer, value] of entries) root = withValue(root, tokensOf(pointer), value)
  return root ?? {}
}

const tokensOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map(token => token.replaceAll('~1', '/').replaceAll('~0', '~'))

/** A number in a pointer is the place in a list, unless the value there is an object already. */
function withValue(node: unknown, [token, ...rest]: readonly string[], value: unknown): unknown {
  if (token === undefined) return value
  if (Array.isArray(node) || (typeof node !== 'object' && /^\d{1,2}$/.test(token))) {
    const list = Array.isArray(node) ? [...node] : []
    const index = Number(token)
    while (list.length < index) list.push(null)
    list[index] = withValue(list[index], rest, value)
    return list
  }
  const object = typeof node === 'object' && node !== null ? node : {}
  return { ...object, [token]: withValue((object as Record<string, unknown>)[token], rest, value) }
}
