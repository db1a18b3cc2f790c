/** A list of names and values by name, as node:http would tell them. */
export function byName(list: readonly string[]): Record<string, string | string[]> {
  const headers = new Map<string, string | string[]>()
  for (let i = 0; i < list.length; i += 2) {
    const [name, value] = [list[i] as string, list[i + 1] as string]
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : [before, value].flat())
  }
  return Object.fromEntries(headers)
}
