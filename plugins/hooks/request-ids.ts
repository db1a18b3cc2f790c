import { randomBytes } from 'node:crypto'

/** Ids of requests, for logs and error reports: a random prefix per process, and a counter. They authorize nothing. */
export function createRequestIds(): () => string {
  const prefix = randomBytes(9).toString('base64url')
  let count = 0
  return () => `${prefix}-${(count++).toString(36)}`
}
