// What `Connection.connectedBy` says: who made a connection if not its owner, as text for people.

/** @param name of somebody whom the owner invited, in their own words */
export const invitedPerson = (name: string): string => `${name} (invited)`

/** @param name of the service key with which a backend made it */
export const backend = (name: string): string => `a backend (${name})`
