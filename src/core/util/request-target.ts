/** Splits a raw request target at its first `?`, which belongs to the query. Both parts stay byte for byte. */
export function splitTarget(target: string): { path: string; query: string } {
  const queryAt = target.indexOf('?')
  return queryAt === -1 ? { path: target, query: '' } : { path: target.slice(0, queryAt), query: target.slice(queryAt) }
}
