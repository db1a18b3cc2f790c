import type { Dependency } from './dependencies.ts'
import type { Workspace } from './workspace.ts'

export type World = Workspace & {
  /** Origin of the API, whose paths start with `/api`. */
  readonly upstream: string
  readonly redisUrl: string
}

/** Runs `use` with a new world, and then ends everything that was started in it. */
export type InWorld = <T>(use: (world: World) => Promise<T>) => Promise<T>

/** A proxy between the load and the upstream. */
export type System = {
  readonly name: string
  readonly title: string
  readonly needs: readonly Dependency[]
  /** How it is configured, for readers of the results. */
  readonly setUp: string
  /** Whether it adds a credential and rejects requests without a session. */
  readonly authenticates: boolean
  /** @param sessions the number of sessions to create */
  start(world: World, sessions: number): Promise<Running>
}

export type Running = {
  /** The URL of the upstream's `/api` through this system. */
  readonly base: string
  /** The headers of each request, apart from the credential. */
  readonly headers: Readonly<Record<string, string>>
  /** Of sessions: a `Cookie` header, or an `Authorization` header that begins with `Bearer`. */
  readonly credentials: readonly string[]
  /** Its processes, whose children count too. */
  readonly pids: readonly number[]
  /** Milliseconds from the start of its last process until that was ready. */
  readonly startMs: number
}
