/** Every key that holds records, leases, claims or what is kept beside them begins so. The braces that follow are the hash tag by which Cluster finds the slot. */
export const keyPrefix = 'grantkeeper:{'

export const ownerKey = (owner: string): string => `${keyPrefix}${owner}}`
/** Whose records a key holds; `undefined` for a key of another kind. */
export const ownerOf = (key: string): string | undefined =>
  key.startsWith(keyPrefix) && key.endsWith('}') ? key.slice(keyPrefix.length, -1) : undefined
export const claimKey = (key: string): string => `${keyPrefix}${key}}:claim`
export const valueKey = (key: string): string => `${keyPrefix}${key}}:kept`
/** Written after an erasure, to wait until it has come as far as that. In the slot of the owner's records. */
export const replicationMarkerKey = (owner: string): string => `${keyPrefix}${owner}}:erased`
/** Not below the prefix that is watched: nobody waits for it. */
export const countKey = (key: string): string => `grantkeeper:count:{${key}}`
/** In the slot of the owner's records. */
export const leaseKey = (owner: string, name: string): string => `${keyPrefix}${owner}}:lease:${name}`

/** Subscribed to by a living process, on every node. */
export const aliveChannel = (instance: string): string => `grantkeeper:alive:${instance}`
