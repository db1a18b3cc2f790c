import { GatewayError } from '../errors.ts'
import type { Clock } from '../ports.ts'
import type { Cipher } from '../vault/cipher.ts'

/** What a link gives to whoever has it: a GET of one path with one connection. */
type Link = {
  readonly owner: string
  readonly provider: string
  /** Another base of the API. */
  readonly base?: string | undefined
  /** Id of the connection: the link ends with it. */
  readonly connection: string
  /** Path and query below the API's base. */
  readonly target: string
  readonly expiresAtMs: number
}

export type Links = {
  /** @returns the secret part of its URL */
  seal(link: Omit<Link, 'expiresAtMs'>, lifetimeMs: number): { readonly token: string; readonly expiresAtMs: number }
  /** @throws {GatewayError} `connection_unknown` for a link that was altered or has expired */
  open(token: string): Link
}

export const maxLinkLifetimeMs = 15 * 60_000
/** Binds links to their purpose: nothing else that is sealed opens as one. */
const context = 'v1\0link'
/** The target of a link, and so its URL, must fit into what browsers and balancers take. */
export const maxTargetCharacters = 2_000

/** Links hold all that they need, sealed: nothing of them is stored, and they can be used for as long as they live. */
export function createLinks({ cipher, clock }: { cipher: Cipher; clock: Clock }): Links {
  return {
    seal(link, lifetimeMs) {
      const expiresAtMs = clock.now() + Math.min(lifetimeMs, maxLinkLifetimeMs)
      const sealed = cipher.seal(Buffer.from(JSON.stringify({ ...link, expiresAtMs })), context)
      return { token: sealed.toString('base64url'), expiresAtMs }
    },

    open(token) {
      const plain = /^[\w-]+$/.test(token) ? cipher.open(Buffer.from(token, 'base64url'), context) : undefined
      const link = plain && (JSON.parse(plain.toString()) as Link)
      if (!link || link.expiresAtMs <= clock.now()) throw linkEnded()
      return link
    }
  }
}

export const linkEnded = () =>
  new GatewayError('connection_unknown', 'This link has expired, or its connection has ended. Ask the page that gave it for a new one.')
