import { createHash } from 'node:crypto'

const digest = (name: string) => createHash('sha256').update(name).digest()

/** An id derived from a name, so that it is the same at every start: a UUID of version 8 (RFC 9562 §5.8). */
export function stableUuid(name: string): string {
  const hex = digest(name).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-')
}

/** 22 characters of base64url. */
export const stableSlug = (name: string): string => digest(name).toString('base64url').slice(0, 22)

/** 24 hexadecimal digits. */
export const stableHex = (name: string): string => digest(name).toString('hex').slice(0, 24)
