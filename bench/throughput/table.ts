import { isLoadBound, isMeasured, noiseOf, type Results, ratio, type Table } from './results.ts'
import type { Broken, Row } from './rounds.ts'

const columns: ReadonlyArray<readonly [title: string, cell: (row: Row, table: Table) => string]> = [
  ['ratio', (row, table) => ratio(table, row)?.toFixed(2) ?? ''],
  ['requests/s', row => `${number(row.rate)}${isLoadBound(row) ? ' or more (load’s core is full)' : ''}`],
  ['least–most', ({ rates }) => `${number(Math.min(...rates))}–${number(Math.max(...rates))}`],
  ['p50', ({ p50Ms }) => `${p50Ms} ms`],
  ['p99', ({ p99Ms }) => `${p99Ms} ms`],
  ['CPU a request', ({ cpuMicros }) => `${number(cpuMicros)} µs`],
  ['its core', ({ testedBusy }) => percent(testedBusy)],
  ['load’s core', ({ loadBusy }) => percent(loadBusy)],
  ['elsewhere', ({ elsewhere }) => percent(elsewhere)],
  ['RSS', ({ loadedMiB }) => `${number(loadedMiB)} MiB`]
]

/** Renders all results as Markdown. */
export function markdown(results: Results): string {
  const noise = noiseOf(results)
  const missing = results.missing.map(({ what, why }) => `- not measured: ${what}: ${why}`)
  return [
    ...(noise === undefined ? [] : [`**Rough**: the machine did other work beside the bench, up to ${percent(noise)} of a core.`]),
    ...results.tables.map(table => `### ${table.title}\n\n${table.note === undefined ? '' : `${table.note}\n\n`}${lines(table)}`),
    ...(results.figures.length > 0 ? [figures(results)] : []),
    ...(missing.length > 0 ? [missing.join('\n')] : [])
  ].join('\n\n')
}

const lines = (table: Table) =>
  grid([
    ['system', ...columns.map(([title]) => (title === 'ratio' ? ratioTitle(table) : title))],
    ...table.rows.map(row => cells(row, table))
  ])

const ratioTitle = ({ compares }: Table) => (compares === 'rate' ? 'ratio' : 'ratio of p99')

function cells(row: Row | Broken, table: Table): string[] {
  const title = row.system === table.base ? `*${row.title}*` : row.title
  if (isMeasured(row)) return [title, ...columns.map(([, cell]) => cell(row, table))]
  return [title, `BROKEN: ${row.broken}`, ...columns.slice(1).map(() => '')]
}

const figures = ({ figures }: Results) =>
  grid([['figure', 'value', ''], ...figures.map(({ what, value, unit, note }) => [what, `${number(value)} ${unit}`, note ?? ''])])

function grid([head = [], ...rows]: readonly string[][]): string {
  return [head, head.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n')
}

const number = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 1 : 0 })
const percent = (share: number) => `${Math.round(share * 100)} %`
