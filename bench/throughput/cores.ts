import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** The load, the upstream, Redis and this program. */
export const loadCore = 0
/** The system under test, and nothing of ours beside it. */
export const testedCore = 1

/** From here on this process and all that it starts run on the load's core; `onTestedCore` takes one away from there. */
export function pinToLoadCore(): void {
  if (availableParallelism() < 2) throw new Error('the bench needs two cores: one for the load, one for what is measured')
  const { status, error } = spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(loadCore), String(process.pid)])
  if (status !== 0) throw new Error('taskset (util-linux) is needed to give each side a core of its own', { cause: error })
}

/** The command line that runs `command` alone with its children on the tested core. */
export const onTestedCore = (command: readonly string[]): string[] => ['taskset', '--cpu-list', String(testedCore), ...command]

/** The command line that runs `command` with its children beside the load: for what asks for two cores. */
export const onBothCores = (command: readonly string[]): string[] => ['taskset', '--cpu-list', `${loadCore},${testedCore}`, ...command]
