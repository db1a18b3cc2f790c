export type DeferredTasks = {
  /** Runs the task after the delay. A gateway that shuts down before that does not wait for it. */
  schedule(task: () => Promise<unknown>): void
  close(): void
}

/** @param delayMs the same for all tasks. @param onError called with what a task rejects with */
export function createDeferredTasks(delayMs: number, onError: (error: unknown) => void): DeferredTasks {
  const timers = new Set<NodeJS.Timeout>()
  return {
    schedule(task) {
      const timer = setTimeout(() => {
        timers.delete(timer)
        task().catch(onError)
      }, delayMs).unref()
      timers.add(timer)
    },

    close() {
      for (const timer of timers) clearTimeout(timer)
    }
  }
}
