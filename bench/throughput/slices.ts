import { setTimeout as sleep } from 'node:timers/promises'
import { loadCore, testedCore } from './cores.ts'
import { busySeconds, cpuSeconds } from './procfs.ts'
import type { Round, Sample, Subject } from './rounds.ts'
import { type Run, startWrk, type Wrk } from './wrk.ts'

/** Of one subject. What else the machine does changes within seconds: in so short a time it meets all alike. */
const maxSliceMs = 200
/** Who waits for their turn is stopped. Longer than this, and some take it for a network that has failed. */
const maxStopMs = 900
/** More than a round takes, with all its stops. */
const maxRoundSeconds = 600
/** After a stop, until all threads of wrk run again. */
const resumeMs = 50

type Turn = { readonly subject: Subject; readonly wrk: Wrk; activeSeconds: number; loadBusySeconds: number }

/**
 * All subjects in one round, each with a load of its own, in short slices that take turns until each has had `plan.seconds`. In its
 * slice a system and its load run, and all others are stopped, with what is on its way to them. Waits would hold the stops: they are
 * measured apart.
 */
export const sliced: Round = async (directory, subjects, { seconds }) => {
  const sliceMs = Math.min(maxSliceMs, maxStopMs / subjects.length)
  const slices = Math.ceil((seconds * 1000) / sliceMs)
  const before = readCounters(subjects)
  const turns: Turn[] = []
  const runs: Run[] = []
  // Who is stopped hears of no other end.
  const abandon = () => {
    for (const { wrk } of turns) wrk.signal('SIGKILL')
  }
  process.once('exit', abandon)
  try {
    for (const subject of subjects) {
      const wrk = await startWrk(directory, subject.load, maxRoundSeconds)
      turns.push({ subject, wrk, activeSeconds: 0, loadBusySeconds: 0 })
      pause(subject, wrk)
    }
    for (let slice = 1; slice < slices; slice++) for (const turn of turns) await runTurn(turn, () => sleep(sliceMs))
    for (const turn of turns) runs.push(await runTurn(turn, () => finish(turn.wrk)))
  } finally {
    process.off('exit', abandon)
    abandon()
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
  const beganMs = performance.now()
  resume(subject, wrk)
  const used = await use()
  pause(subject, wrk)
  turn.activeSeconds += (performance.now() - beganMs) / 1000
  turn.loadBusySeconds += busySeconds(loadCore) - busyBefore
  return used
}

/** Its last slice. A wrk that is told so while it is still stopped may hear it in the wrong thread, and not end. */
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

/** Each system began a process group: its children are in it. */
function signalGroups(pids: readonly number[], name: 'SIGSTOP' | 'SIGCONT'): void {
  for (const pid of pids) process.kill(-pid, name)
}

/** Seconds, from whenever. */
const readCounters = (subjects: readonly Subject[]) => ({
  wall: performance.now() / 1000,
  tested: subjects.map(({ pids }) => cpuSeconds(pids)),
  // All that runs here was started by this process.
  ours: cpuSeconds([process.pid]),
  busy: busySeconds(loadCore) + busySeconds(testedCore)
})
