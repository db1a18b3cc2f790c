import type { Time } from './time.ts'

/** One process of the gateway. It may die or stand still wherever it waits for the world outside. */
export type Process = {
  readonly name: string
  isDead(): boolean
  /** Whether it has stood still at any time from then on. */
  frozeSince(ms: number): boolean
  /** What the process gets to see of `work`: nothing any more once it is dead, and nothing yet while it stands still. */
  receive<T>(work: Promise<T>): Promise<T>
}

/** What becomes of a process when it has seen so much. */
export type Fate = { readonly kind: 'dies' | 'freezes'; readonly atStep: number }

/** Longer than a lease. */
const frozenMs = 80_000

export function createProcess(name: string, time: Time, fates: readonly Fate[]): Process {
  let steps = 0
  let dead = false
  let thawsAtMs = 0
  return {
    name,
    isDead: () => dead,
    frozeSince: ms => thawsAtMs > ms,
    async receive(work) {
      await work.catch(() => {})
      steps++
      for (const { kind } of fates.filter(({ atStep }) => atStep === steps)) {
        if (kind === 'dies') dead = true
        else thawsAtMs = time.now() + frozenMs
      }
      while (!dead && time.now() < thawsAtMs) await time.sleep(thawsAtMs - time.now())
      return dead ? new Promise(() => {}) : work
    }
  }
}
