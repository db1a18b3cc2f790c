/** As node:http gives and takes them: name, value, name, value. */
export type RawHeaders = string[]

// RFC 9110 §7.6.1, and what older servers treat the same.
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
// undici refuses more than node:http lets in, and a refusal inside its dispatch can cost a connection of the pool.
export const isFieldValue = (value: string): boolean => /^[\t\x20-\x7e\x80-\xff]*$/.test(value)

/** Many servers make `_` and `-` the same (CGI, WSGI), so a look-alike stops where the real name stops. */
export const canonicalName = (name: string): string => name.toLowerCase().replaceAll('_', '-')

/** Names that `Connection` lists: they belong to this hop (RFC 9110 §7.6.1). */
export function connectionOptions(raw: readonly string[]): Set<string> | undefined {
  let names: Set<string> | undefined
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string
    if (name.length === 'connection'.length && canonicalName(name) === 'connection')
      names = addConnectionOptions(raw[i + 1] as string, names)
  }
  return names
}

/** Nearly always it says no more than what becomes of the connection. */
export function addConnectionOptions(value: string, names?: Set<string>): Set<string> | undefined {
  if (value === 'keep-alive' || value === 'close') return names
  const more = names ?? new Set<string>()
  for (const name of value.split(',')) more.add(canonicalName(name.trim()))
  return more
}
