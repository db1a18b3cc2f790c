import { isIP, type LookupFunction } from 'node:net'

/** A DNS lookup that resolves every name to these IP addresses. */
export const fixedLookup = (...addresses: string[]): LookupFunction => {
  const records = addresses.map(address => ({ address, family: isIP(address) }))
  return (_hostname, { all }, callback) =>
    setImmediate(() => (all ? callback(null, records) : callback(null, records[0]?.address ?? '', records[0]?.family)))
}
