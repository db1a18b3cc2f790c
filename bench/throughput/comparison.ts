import { findError } from './check.ts'
import { ensureDependencies } from './dependencies.ts'
import { median } from './median.ts'
import { residentMiB } from './procfs.ts'
import type { Results } from './results.ts'
import { Tally, warmUp } from './rounds.ts'
import type { Plan } from './sampling.ts'
import type { InWorld, Running, System, World } from './system.ts'
import { base } from './systems.ts'
import { loadOf, maxSessions, type Workload } from './workloads.ts'

type Started = { readonly system: System; readonly running: Running; readonly idleMiB: number }

export type Comparison = Pick<Results, 'systems' | 'missing' | 'tables'>

/** Measures every workload on every system. At each start, all systems are started first and then measured in turn. */
export async function compareSystems(
  inWorld: InWorld,
  systems: readonly System[],
  works: readonly Workload[],
  plan: Plan,
  log: (text: string) => void
): Promise<Comparison> {
  const absent = ensureDependencies(new Set(systems.flatMap(({ needs }) => needs)))
  const broken = new Map<System, string>()
  const idleMiB = new Map<System, number[]>()
  const tallies = new Map(works.map(work => [work, new Tally()]))
  for (const system of systems) {
    const reasons = system.needs.flatMap(part => absent.get(part) ?? [])
    if (reasons.length > 0) broken.set(system, reasons.join('; '))
  }
  for (let i = 1; i <= plan.starts; i++) {
    await inWorld(async world => {
      const started: Started[] = []
      for (const system of systems.filter(system => !broken.has(system))) {
        try {
          started.push(await startVerified(system, world))
        } catch (error) {
          broken.set(system, (error as Error).message)
        }
      }
      for (const { system, idleMiB: value } of started) idleMiB.set(system, [...(idleMiB.get(system) ?? []), value])
      log(`start ${i} of ${plan.starts}: ${started.length} systems run`)
      for (const [work, tally] of tallies) {
        const subjects = started.map(({ system: { name, title }, running }) => ({
          system: name,
          title,
          pids: running.pids,
          load: loadOf(work, running)
        }))
        // The first workload compiles the hot code; the others only warm up their own paths.
        await warmUp(world.directory, subjects, work === works[0] ? plan.warmUpSeconds : 1)
        await tally.add(world.directory, subjects, plan)
        log(`${work.title}: done`)
      }
    })
  }
  const measuredSystems = systems.filter(system => !broken.has(system))
  const brokenRows = [...broken].map(([{ name, title }, why]) => ({ system: name, title, broken: why }))
  for (const { title, broken: why } of brokenRows) log(`${title}: ${why}`)
  return {
    systems: measuredSystems.map(system => {
      const { name, title, setUp } = system
      return { name, title, setUp, idleMiB: median(idleMiB.get(system) ?? []) }
    }),
    missing: brokenRows.map(({ title, broken: why }) => ({ what: title, why })),
    tables: [...tallies].map(([{ name, title }, tally]) => {
      // A system that broke at a later start has samples of the earlier ones: leave them out.
      const rows = tally.rows().filter(row => measuredSystems.some(({ name }) => name === row.system))
      return { name, title, base, compares: 'rate', rows: [...rows, ...brokenRows] }
    })
  }
}

/** @throws when the system does not start or fails its check */
async function startVerified(system: System, world: World): Promise<Started> {
  const running = await system.start(world, maxSessions)
  const idleMiB = residentMiB(running.pids)
  const error = await findError(system, running)
  if (error !== undefined) throw new Error(error)
  return { system, running, idleMiB }
}
