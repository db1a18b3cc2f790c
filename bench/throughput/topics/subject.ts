import type { Subject } from '../sampling.ts'
import type { Running } from '../system.ts'
import { get, loadOf } from '../workloads.ts'

/** A row with the `get` workload on the first `sessions` sessions in turn. */
export const subject = (system: string, title: string, running: Running, sessions = 1): Subject => ({
  system,
  title,
  pids: running.pids,
  load: loadOf({ ...get, sessions }, running)
})
