import { isIP, type LookupFunction } from 'node:net'

/** A DNS in which every name leads to these addresses. */
export const leadingTo = (...addresses: string[]): LookupFunction => {
  const found = addresses.map(address => ({ address, family: isIP(address) }))
  return (_hostname, { all }, callback) =>
    setImmediate(() => (all ? callback(null, found) : callback(null, found[0]?.address ?? '', found[0]?.family)))
}
