import type { Dependency } from './dependencies.ts'
import type { Workspace } from './workspace.ts'

export type World = Workspace & {
  /** Origin of the API, below `/api`. */
  readonly upstream: string
  readonly redisUrl: string
}

/** A world of its own for `use`, gone afterwards with all that was started in it. */
export type InWorld = <T>(use: (world: World) => Promise<T>) => Promise<T>

/** Something that stands between the load and the upstream. */
export type System = {
  readonly name: string
  readonly title: string
  readonly needs: readonly Dependency[]
  /** What a reader should know of how it is set up. */
  readonly setUp: string
  /** It puts a credential on, and lets nobody through without a session. */
  readonly authenticates: boolean
  /** @param sessions how many people sign in */
  start(world: World, sessions: number): Promise<Running>
}

export type Running = {
  /** The upstream's `/api` through this system. */
  readonly base: string
  /** What its clients send with each call, beside the cookie. */
  readonly headers: Readonly<Record<string, string>>
  /** A `Cookie` header a session. */
  readonly cookies: readonly string[]
  /** Its processes; their children count as well. */
  readonly pids: readonly number[]
  /** Milliseconds from the start of the last of them until it was ready. */
  readonly startMs: number
}
