// Counts token requests at a strict provider: each expiry of an access token, hit by concurrent requests on several instances, must cause
// exactly one. The baseline has single flight per process and no lease. `npm run bench:renewal -- --help`
import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { measure } from './measure.ts'
import { allRows, bearerRows, findViolations, quickRows, type Row } from './rows.ts'
import { inScope } from './scope.ts'
import { markdownTable, type Result } from './table.ts'
import { startWorld } from './world.ts'

const usage = `npm run bench:renewal -- [options]
  --expiries N   expiries in each row without kills    1000
  --kills N      expiries in each row with kills       30
  --calls N      concurrent requests at each expiry    20
  --sessions N   sessions whose tokens expire in turn  50
  --bearers      users with bearer tokens instead of browsers with a cookie: the gateway alone, three instances
  --quick        small numbers, two instances, writes no file
`
const bounds = { expiries: 20_000, kills: 200, calls: 100, sessions: 500 }
const rowLimitMs = 10 * 60_000

const { values } = parseArgs({
  options: {
    expiries: { type: 'string' },
    kills: { type: 'string' },
    calls: { type: 'string' },
    sessions: { type: 'string' },
    bearers: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})
const defaults = values.quick ? { expiries: 20, kills: 1, calls: 6, sessions: 5 } : { expiries: 1000, kills: 30, calls: 20, sessions: 50 }
const rowsOf = values.bearers ? bearerRows : values.quick ? quickRows : allRows
const resultFile = join(import.meta.dirname, 'results', values.bearers ? 'renewal-bearers.json' : 'renewal.json')
const log = (text: string) => void process.stderr.write(`${text}\n`)

function sizeOf(name: keyof typeof bounds): number {
  const size = Number(values[name] ?? defaults[name])
  if (Number.isInteger(size) && size >= 1 && size <= bounds[name]) return size
  log(`--${name} must be a whole number from 1 to ${bounds[name]}.`)
  process.exit(2)
}

async function runRow(row: Row): Promise<Result> {
  const startMs = performance.now()
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`a row took more than ${rowLimitMs / 60_000} minutes`)), rowLimitMs)
  const measured = await inScope(async owner => {
    const work = startWorld(owner, { ...row, faults: row.load.faults }).then(world => measure(world, row.load))
    return Promise.race([work, late.promise])
  }).finally(() => clearTimeout(timer))
  const broken = findViolations(row, measured)
  const name = `${row.program}${row.bearers ? ', bearers' : ''}, instances: ${row.instances}${row.load.kill ? ', holder killed' : ''}${row.load.faults ? ', slow and lost token calls' : ''}${row.graceMs ? `, grace: ${row.graceMs} ms` : ''}`
  log(`${name}: ${Math.round((performance.now() - startMs) / 1000)} s${broken.map(violation => `\n  BROKEN ${violation}`).join('')}`)
  return { ...row, measured, broken }
}

if (values.help) process.stdout.write(usage)
else {
  const sizes = { expiries: sizeOf('expiries'), kills: sizeOf('kills'), calls: sizeOf('calls'), sessions: sizeOf('sessions') }
  const results: Result[] = []
  for (const row of rowsOf(sizes)) results.push(await runRow(row))
  process.stdout.write(`${markdownTable(results)}\n`)
  if (!values.quick) {
    const machine = { node: process.version, cpus: availableParallelism() }
    await writeFile(resultFile, `${JSON.stringify({ date: new Date().toISOString(), machine, results }, undefined, 2)}\n`)
  }
  process.exitCode = results.some(({ broken }) => broken.length > 0) ? 1 : 0
}
