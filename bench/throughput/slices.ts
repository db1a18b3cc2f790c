import { setTimeout as sleep } from 'node:timers/promises'
import { loadCore, testedCore } from './cores.ts'
import { busySeconds, cpuSeconds } from './procfs.ts'
import type { Round, Sample, Subject } from './sampling.ts'
import { type Run, startWrk, type Wrk } from './wrk.ts'

/** Length of one subject's slice. Other work on the machine changes within seconds, so short slices spread it evenly. */
const maxSliceMs = 200
/** How long a subject may be stopped while others have their turn. Longer stops look like a network failure to some systems. */
const maxStopMs = 900
/** More than a round takes, including all stops. */
const maxRoundSeconds = 600
/** Time after a stop until all threads of wrk run again. */
const resumeMs = 50

type Turn = { readonly subject: Subject; readonly wrk: Wrk; activeSeconds: number; loadBusySeconds: number }

/**
 * Measures all subjects in one round, each with its own load, in short alternating slices until each has run for `plan.seconds`. During
 * its slice one system and its load run; all others are stopped with their requests in flight. Latencies would include the stops, so they
 * are measured separately.
 */
export const sliced: Round = async (directory, subjects, { seconds }) => {
  const sliceMs = Math.min(maxSliceMs, maxStopMs / subjects.length)
  const slices = Math.ceil((seconds * 1000) / sliceMs)
  const before = readCounters(subjects)
  const turns: Turn[] = []
  const runs: Run[] = []
  // A stopped process reacts to no signal but SIGKILL.
  const killAll = () => {
    for (const { wrk } of turns) wrk.signal('SIGKILL')
  }
  process.once('exit', killAll)
  try {
    for (const subject of subjects) {
      const wrk = await startWrk(directory, subject.load, maxRoundSeconds)
      turns.push({ subject, wrk, activeSeconds: 0, loadBusySeconds: 0 })
      pause(subject, wrk)
    }
    for (let slice = 1; slice < slices; slice++) for (const turn of turns) await runTurn(turn, () => sleep(sliceMs))
    for (const turn of turns) runs.push(await runTurn(turn, () => finish(turn.wrk)))
  } finally {
    process.off('exit', killAll)
    killAll()
    for (const { subject } of turns) signalGroups(subject.pids, 'SIGCONT')
  }
  const after = readCounters(subjects)

  const elsewhere = Math.max(0, after.busy - before.busy - (after.ours - before.ours)) / (after.wall - before.wall)
  return turns.map(({ activeSeconds, loadBusySeconds }, i): Sample => {
    const { requests, error } = runs[i] as (typeof runs)[number]
    const testedSeconds = (after.tested[i] ?? 0) - (before.tested[i] ?? 0)
    return {
      requests,
      error,
      seconds: activeSeconds,
      cpuMicros: (testedSeconds / requests) * 1e6,
      testedBusy: testedSeconds / activeSeconds,
      loadBusy: loadBusySeconds / activeSeconds,
      elsewhere
    }
  })
}

async function runTurn<T>(turn: Turn, use: () => Promise<T>): Promise<T> {
  const { subject, wrk } = turn
  const busyBefore = busySeconds(loadCore)
  const startMs = performance.now()
  resume(subject, wrk)
  const result = await use()
  pause(subject, wrk)
  turn.activeSeconds += (performance.now() - startMs) / 1000
  turn.loadBusySeconds += busySeconds(loadCore) - busyBefore
  return result
}

/** Ends wrk in its last slice. While it is still stopped, SIGINT may reach the wrong thread and be ignored. */
async function finish(wrk: Wrk): Promise<Run> {
  await sleep(resumeMs)
  wrk.signal('SIGINT')
  return wrk.run
}

function resume({ pids }: Subject, wrk: Wrk): void {
  signalGroups(pids, 'SIGCONT')
  wrk.signal('SIGCONT')
}

function pause({ pids }: Subject, wrk: Wrk): void {
  wrk.signal('SIGSTOP')
  signalGroups(pids, 'SIGSTOP')
}

/** Each system leads its own process group, which includes its children. */
function signalGroups(pids: readonly number[], name: 'SIGSTOP' | 'SIGCONT'): void {
  for (const pid of pids) process.kill(-pid, name)
}

/** Counters in seconds, from an arbitrary start. */
const readCounters = (subjects: readonly Subject[]) => ({
  wall: performance.now() / 1000,
  tested: subjects.map(({ pids }) => cpuSeconds(pids)),
  // Everything in the bench is a child of this process.
  ours: cpuSeconds([process.pid]),
  busy: busySeconds(loadCore) + busySeconds(testedCore)
})
