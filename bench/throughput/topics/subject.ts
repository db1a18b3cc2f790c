import type { Subject } from '../rounds.ts'
import type { Running } from '../system.ts'
import { get, loadOf } from '../workloads.ts'

/** The usual request with the first `sessions` of its sessions in turn, as a row of its own. */
export const subject = (system: string, title: string, running: Running, sessions = 1): Subject => ({
  system,
  title,
  pids: running.pids,
  load: loadOf({ ...get, sessions }, running)
})
