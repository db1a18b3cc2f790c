/** Groups a flat list of header names and values by name. A repeated header has an array. */
export function groupHeaders(fields: readonly string[]): Record<string, string | string[]> {
  const headers = new Map<string, string | string[]>()
  for (let i = 0; i < fields.length; i += 2) {
    const [name, value] = [fields[i] as string, fields[i + 1] as string]
    const previous = headers.get(name)
    headers.set(name, previous === undefined ? value : [previous, value].flat())
  }
  return Object.fromEntries(headers)
}
