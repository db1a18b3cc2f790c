/** Visits the fields of a flat list as node:http has them: name, value, name, value. */
export function forEachField(raw: readonly string[], visit: (name: string, value: string) => void): void {
  for (let i = 0; i + 1 < raw.length; i += 2) visit(raw[i] as string, raw[i + 1] as string)
}
