import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** Runs the load, the upstream, Redis and this program. */
export const loadCore = 0
/** Runs the system under test and nothing else of the bench. */
export const testedCore = 1

/** Pins this process and everything that it starts to the load's core; `onTestedCore` overrides that for one command. */
export function pinToLoadCore(): void {
  if (availableParallelism() < 2) throw new Error('the bench needs two cores: one for the load, one for the system under test')
  const { status, error } = spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(loadCore), String(process.pid)])
  if (status !== 0) throw new Error('the bench needs taskset (util-linux) to pin each side to its own core', { cause: error })
}

/** The command line that runs `command` and its children on the tested core. */
export const onTestedCore = (command: readonly string[]): string[] => ['taskset', '--cpu-list', String(testedCore), ...command]

/** The command line that runs `command` and its children on both cores, beside the load. */
export const onBothCores = (command: readonly string[]): string[] => ['taskset', '--cpu-list', `${loadCore},${testedCore}`, ...command]
