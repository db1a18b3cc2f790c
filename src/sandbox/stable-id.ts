import { createHash } from 'node:crypto'

const digest = (of: string) => createHash('sha256').update(of).digest()

/** An id that is the same at every start, in the shape of a UUID (version 8, RFC 9562 §5.8). */
export function stableUuid(of: string): string {
  const hex = digest(of).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-')
}

/** 22 characters of base64url. */
export const stableSlug = (of: string): string => digest(of).toString('base64url').slice(0, 22)

/** 24 hexadecimal digits. */
export const stableHex = (of: string): string => digest(of).toString('hex').slice(0, 24)
