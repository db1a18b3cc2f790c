import { residentMiB } from './accounting.ts'
import { faultOf } from './check.ts'
import { ensureParts } from './parts.ts'
import type { Results, Table } from './results.ts'
import { alternate, type Broken, type Plan } from './rounds.ts'
import type { Running, System, World } from './system.ts'
import { base } from './systems.ts'
import { loadOf, mostSessions, type Work } from './works.ts'

type Started = { readonly system: System; readonly running: Running; readonly idleMiB: number }

export type Contest = Pick<Results, 'systems' | 'missing' | 'tables'>

/** The same works for every system, all of them started beforehand, each measured in turn. */
export async function contest(
  world: World,
  systems: readonly System[],
  works: readonly Work[],
  plan: Plan,
  say: (text: string) => void
): Promise<Contest> {
  const absent = ensureParts(new Set(systems.flatMap(({ needs }) => needs)))
  const started: Started[] = []
  const broken: Broken[] = []
  for (const system of systems) {
    const { name, title, needs } = system
    try {
      const lacking = needs.flatMap(part => absent.get(part) ?? [])
      if (lacking.length > 0) throw new Error(lacking.join('; '))
      const running = await system.start(world, mostSessions)
      const idleMiB = residentMiB(running.pids)
      const fault = await faultOf(system, running)
      if (fault !== undefined) throw new Error(fault)
      started.push({ system, running, idleMiB })
    } catch (error) {
      broken.push({ system: name, title, broken: (error as Error).message })
      say(`${title}: ${(error as Error).message}`)
    }
  }
  const tables: Table[] = []
  for (const [i, work] of works.entries()) {
    const subjects = started.map(({ system: { name, title }, running }) => ({
      system: name,
      title,
      pids: running.pids,
      load: loadOf(work, running)
    }))
    // Compiled code is warm after the first work; the others need no more than their own paths.
    const rows = await alternate(subjects, i === 0 ? plan : { ...plan, warmUpSeconds: 1 })
    tables.push({ name: work.name, title: work.title, base, compares: 'rate', rows: [...rows, ...broken] })
    say(`${work.title}: done`)
  }
  return {
    systems: started.map(({ system: { name, title, setUp }, idleMiB }) => ({ name, title, setUp, idleMiB })),
    missing: broken.map(({ title, broken: why }) => ({ what: title, why })),
    tables
  }
}
