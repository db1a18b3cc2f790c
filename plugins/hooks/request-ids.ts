import { randomBytes } from 'node:crypto'

/** Names for requests, for logs and error reports: this process, drawn at random, and a number in it. They grant nothing. */
export function createRequestIds(): () => string {
  const start = randomBytes(9).toString('base64url')
  let count = 0
  return () => `${start}-${(count++).toString(36)}`
}
