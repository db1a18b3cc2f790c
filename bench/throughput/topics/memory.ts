import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../../test/support/free-port.ts'
import { collectGarbage } from '../collect-garbage.ts'
import { median } from '../median.ts'
import { residentMiB } from '../procfs.ts'
import type { Figure } from '../results.ts'
import type { Running, World } from '../system.ts'
import { startGrantkeeper } from '../systems/grantkeeper.ts'
import type { Topic } from '../topic.ts'
import { runWrk } from '../wrk.ts'
import { subject } from './subject.ts'

const hotSessions = 10_000
const settleMs = 1000
const loadSeconds = 3

/** Memory of an idle process without sessions, and what 10,000 hot sessions add to it. */
export const memory: Topic = {
  name: 'memory',
  async run(inWorld, plan) {
    const [redis, embedded, added] = [[], [], []] as [number[], number[], number[]]
    for (let i = 0; i < plan.starts; i++) {
      redis.push(await inWorld(async world => idleMiB((await startGrantkeeper(world, 0, { store: 'Redis' })).pids)))
      embedded.push(await inWorld(async world => idleMiB((await startGrantkeeper(world, 0, { store: 'embedded' })).pids)))
      added.push(await inWorld(world => sessionsMiB(world)))
    }
    return {
      figures: [
        figure('Grantkeeper, Redis: idle', redis, 'a second after its start'),
        figure('Grantkeeper, embedded: idle', embedded, 'a second after its start'),
        figure('Grantkeeper, Redis: 10,000 hot sessions add', added, 'beyond the same load on one session, both after a garbage collection')
      ]
    }
  }
}

const figure = (what: string, mebibytes: readonly number[], note: string): Figure => ({
  what,
  value: median([...mebibytes]),
  unit: 'MiB',
  note: `resident; ${note}; ${mebibytes.map(Math.round).join(', ')}`
})

async function idleMiB(pids: readonly number[]): Promise<number> {
  await sleep(settleMs)
  return residentMiB(pids)
}

/** The heap grows under any load, so the result is the difference to the same load on one session. */
async function sessionsMiB(world: World): Promise<number> {
  const [many, one] = [await startInspected(world), await startInspected(world)]
  const subjects = [subject('many', '', many.running, hotSessions), subject('one', '', one.running)]
  for (const { load } of subjects) await runWrk(world.directory, load, loadSeconds)
  const [withMany = 0, withOne = 0] = await Promise.all(
    [many, one].map(async ({ running, inspectorPort }) => {
      await collectGarbage(inspectorPort)
      return idleMiB(running.pids)
    })
  )
  return withMany - withOne
}

async function startInspected(world: World): Promise<{ running: Running; inspectorPort: number }> {
  const inspectorPort = await freePort()
  return { running: await startGrantkeeper(world, hotSessions, { store: 'Redis', inspectorPort }), inspectorPort }
}
