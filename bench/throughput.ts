// Compares the throughput of Grantkeeper and its alternatives, each alone on one core. `npm run bench -- --help`
import { writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { startRedis } from '../test/support/redis.ts'
import { inScope } from './scope.ts'
import { chart } from './throughput/chart.ts'
import { compareSystems } from './throughput/comparison.ts'
import { pinToLoadCore } from './throughput/cores.ts'
import { build, ensureDependencies } from './throughput/dependencies.ts'
import { type Options, readOptions, usage } from './throughput/options.ts'
import { isMeasured, type Results } from './throughput/results.ts'
import type { Plan } from './throughput/sampling.ts'
import type { InWorld } from './throughput/system.ts'
import { systems } from './throughput/systems.ts'
import { markdown } from './throughput/table.ts'
import type { Findings } from './throughput/topic.ts'
import { topics } from './throughput/topics.ts'
import { startUpstream } from './throughput/upstream.ts'
import { workloads } from './throughput/workloads.ts'
import { openWorkspace } from './throughput/workspace.ts'
import { connections } from './throughput/wrk.ts'

const results = join(import.meta.dirname, 'results')
/** V8 needs some seconds to compile hot code on a single core. */
const warmUpSeconds = 10
const log = (text: string) => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`)

async function run({ only, work, starts, rounds, seconds }: Options): Promise<Results> {
  pinToLoadCore()
  ensureDependencies(new Set())
  build()
  const named = <T extends { name: string }>(all: readonly T[], names: ReadonlySet<string> | undefined) =>
    all.filter(({ name }) => names?.has(name) ?? true)
  const plan: Plan = { starts, rounds, seconds, warmUpSeconds }
  const compared = named(workloads, work)
  // With `--only` and no `--work`, only the comparison of systems runs.
  const selected = only && !work ? [] : named(topics, work)

  const comparison = compared.length > 0 ? await compareSystems(inWorld, named(systems, only), compared, plan, log) : undefined
  const findings: Findings[] = []
  for (const topic of selected) {
    findings.push(await topic.run(inWorld, plan))
    log(`${topic.name}: done`)
  }
  return {
    date: new Date().toISOString(),
    machine: { node: process.version, cpu: cpus()[0]?.model ?? '' },
    starts,
    rounds,
    seconds,
    connections,
    systems: comparison?.systems ?? [],
    missing: [...(comparison?.missing ?? []), ...findings.flatMap(found => found.missing ?? [])],
    tables: [...(comparison?.tables ?? []), ...findings.flatMap(found => found.tables ?? [])],
    figures: findings.flatMap(found => found.figures ?? [])
  }
}

/** Each world has its own upstream and Redis, which end with it. */
const inWorld: InWorld = use =>
  inScope(async owner => {
    const place = await openWorkspace(owner)
    // The persistence that docs/operating.md recommends.
    const redis = await startRedis(owner, ['--appendonly', 'yes', '--appendfsync', 'everysec'])
    return use({ ...place, upstream: await startUpstream(place), redisUrl: redis.url })
  })

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  if (options.help) {
    process.stdout.write(usage)
    return
  }
  const found = await run(options)
  process.stdout.write(`${markdown(found)}\n`)
  if (!options.only && !options.work) {
    await writeFile(join(results, 'throughput.json'), `${JSON.stringify(found, undefined, 2)}\n`)
    await writeFile(join(results, 'throughput.svg'), chart(found))
  }
  process.exitCode = found.tables.every(({ rows }) => rows.every(isMeasured)) ? 0 : 1
}

try {
  await main()
} catch (error) {
  const { message, stack, code } = error as NodeJS.ErrnoException
  const isUsage = error instanceof RangeError || String(code).startsWith('ERR_PARSE_ARGS')
  process.stderr.write(`${isUsage ? message : stack}\n`)
  process.exitCode = 2
}
