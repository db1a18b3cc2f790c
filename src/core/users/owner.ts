/**
 * An owner has connections: a browser that nobody is signed in to, whose owner is random and ends with its sessions, or a user, whose
 * owner is derived from who they are (`owner-names.ts`) and outlives every session.
 */
const userPrefix = 'u.'

/** @param digest base64url */
export const userOwner = (digest: string): string => userPrefix + digest

/** Whether the owner is a user. A random owner has no dot. */
export const isUserOwner = (owner: string): boolean => owner.startsWith(userPrefix)
