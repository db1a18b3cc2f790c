/** Flat header fields as node:http uses them: name, value, name, value. */
export type RawHeaders = string[]

/** RFC 9110 §7.6.1, and fields that older servers treat alike. */
export const hopByHopFields = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'trailers',
  'transfer-encoding',
  'upgrade',
  'http2-settings'
]

export const isToken = (name: string): boolean => /^[!#$%&'*+\-.^_`|~0-9a-z]+$/i.test(name)
/** undici rejects values that node:http accepts, and an error inside its dispatch can cost the pool a connection. */
export const isFieldValue = (value: string): boolean => /^[\t\x20-\x7e\x80-\xff]*$/.test(value)

/** Many servers treat `_` and `-` alike (CGI, WSGI), so both spellings of a name are stripped from requests. */
export const canonicalName = (name: string): string => name.toLowerCase().replaceAll('_', '-')

/** The names that `Connection` lists: they apply to this hop only (RFC 9110 §7.6.1). */
export function connectionOptions(raw: readonly string[]): Set<string> | undefined {
  let names: Set<string> | undefined
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string
    if (name.length === 'connection'.length && canonicalName(name) === 'connection')
      names = addConnectionOptions(raw[i + 1] as string, names)
  }
  return names
}

/** Allocates no set for `keep-alive` and `close`, the usual values: neither names a field to strip. */
export function addConnectionOptions(value: string, names?: Set<string>): Set<string> | undefined {
  if (value === 'keep-alive' || value === 'close') return names
  const options = names ?? new Set<string>()
  for (const name of value.split(',')) options.add(canonicalName(name.trim()))
  return options
}
