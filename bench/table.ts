import type { Measured } from './measure.ts'
import type { Row } from './rows.ts'

export type Result = Row & { readonly measured: Measured; readonly broken: readonly string[] }

const columns: ReadonlyArray<readonly [title: string, cell: (result: Result) => string | number]> = [
  ['gateway', ({ program, bearers }) => (program === 'baseline' ? '*baseline*' : program + (bearers ? ', bearers' : ''))],
  ['instances', ({ instances }) => instances],
  ['provider', ({ graceMs }) => (graceMs > 0 ? `grace ${graceMs / 1000} s` : 'strict')],
  ['holder killed', ({ load, measured }) => (load.kill ? number(measured.expiries) : '')],
  ['slow, lost', ({ load, measured }) => (load.faults ? `${number(measured.slow)}, ${number(measured.lost)}` : '')],
  ['expiries', ({ measured }) => number(measured.expiries)],
  ['token calls', ({ measured }) => number(measured.tokenCalls)],
  ['reuse', ({ measured }) => `${number(measured.reuses)}${measured.withinGrace > 0 ? ` (${number(measured.withinGrace)} in grace)` : ''}`],
  ['failed calls', ({ measured }) => `${number(measured.failed)} of ${number(measured.calls)}`],
  ['sent again', ({ measured }) => number(measured.sentAgain)],
  ['usual p50', ({ measured }) => ms(measured.usualP50)],
  ['added p50', ({ measured }) => ms(measured.addedP50)],
  ['added p99', ({ measured }) => ms(measured.addedP99)]
]

export function markdownTable(results: readonly Result[]): string {
  const lines = [
    columns.map(([title]) => title),
    columns.map(() => '---'),
    ...results.map(result => columns.map(([, cell]) => String(cell(result))))
  ]
  return lines.map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

const number = (value: number) => value.toLocaleString('en-US')
const ms = (value: number | undefined) => (value === undefined ? '' : `${number(value >= 10 ? Math.round(value) : value)} ms`)
