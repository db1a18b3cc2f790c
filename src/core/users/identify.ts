import type { IncomingMessage } from 'node:http'
import type { NamedUser } from './named-user.ts'

/** Who the user of a request is, as an embedding application says. @returns `undefined` or `null` when nobody is signed in */
export type Identify = (request: IncomingMessage) => MaybePromise<NamedUser | null | undefined>

type MaybePromise<T> = T | Promise<T>
