import type { Time } from './time.ts'

/** One gateway process. It may die or freeze wherever it awaits something external. */
export type Process = {
  readonly name: string
  isDead(): boolean
  /** Whether it was frozen at any time since then. */
  frozeSince(ms: number): boolean
  /** `work` as the process sees it: never settles once it is dead, and settles only after a freeze. */
  receive<T>(work: Promise<T>): Promise<T>
}

/** What happens to a process at its n-th `receive`. */
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
