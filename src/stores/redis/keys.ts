/** The prefix of every key of an owner, lease, claim or value. The braces are the hash tag from which a Cluster computes the slot. */
export const keyPrefix = 'grantkeeper:{'

export const ownerKey = (owner: string): string => `${keyPrefix}${owner}}`
/** @returns the owner of a key that holds records; `undefined` for a key of another kind */
export const ownerOf = (key: string): string | undefined =>
  key.startsWith(keyPrefix) && key.endsWith('}') ? key.slice(keyPrefix.length, -1) : undefined
export const claimKey = (key: string): string => `${keyPrefix}${key}}:claim`
export const valueKey = (key: string): string => `${keyPrefix}${key}}:value`
/** Written to wait for its replication, and with it for all writes before it. In the slot of the owner's records. */
export const replicationMarkerKey = (owner: string): string => `${keyPrefix}${owner}}:replication`
/** Outside the prefix of the change feed: nobody waits for a counter. */
export const countKey = (key: string): string => `grantkeeper:count:{${key}}`
/** In the slot of the owner's records. */
export const leaseKey = (owner: string, name: string): string => `${keyPrefix}${owner}}:lease:${name}`

/** A living process is subscribed to its channel, on every node. */
export const aliveChannel = (instance: string): string => `grantkeeper:alive:${instance}`
