import { type Results, ratio, type Table } from './results.ts'
import { base } from './systems.ts'

type Bar = {
  readonly title: string
  /** `undefined` when not measured. */
  readonly ratio: number | undefined
  readonly ours: boolean
}

const width = 880
const titleWidth = 446
const barWidth = 366
const barHeight = 16
const rowHeight = 24
const headHeight = 46
/** Longer bars are truncated: at the scale of nginx without authentication all others would look alike. */
const maxRatio = 3
/** A direct connection is no alternative to a proxy. */
const excluded = new Set(['direct'])

const style = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .head { font-weight: 600 }
  .bar { fill: #8c959f }
  .ours { fill: #0969da }
  .one { stroke: #656d76; stroke-dasharray: 3 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .bar { fill: #6e7681 }
    .ours { fill: #4493f8 }
    .one { stroke: #8d96a0 }
  }`

/** Draws the comparison's tables as bars of ratios. The SVG suits light and dark mode. */
export function chart(results: Results): string {
  const tables = results.tables.filter(table => table.base === base)
  const parts: string[] = []
  let top = 0
  for (const table of tables) {
    const bars = barsOf(table)
    parts.push(group(table.title, bars, top))
    top += headHeight + bars.length * rowHeight
  }
  const label = 'Requests a second on one core, relative to a bare Fastify with @fastify/http-proxy'
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top + 12}" role="img" aria-label="${label}">
<style>${style}
</style>
${parts.join('\n')}
</svg>
`
}

function barsOf(table: Table): Bar[] {
  const rows = table.rows.filter(({ system }) => !excluded.has(system))
  return rows.map(row => ({ title: row.title, ratio: ratio(table, row), ours: row.system.startsWith('grantkeeper') }))
}

function group(title: string, bars: readonly Bar[], top: number): string {
  const scale = barWidth / maxRatio
  const oneAt = titleWidth + scale
  const bottom = top + headHeight + bars.length * rowHeight
  const lines = bars.map((bar, i) => {
    const y = top + headHeight + i * rowHeight
    const length = Math.min(bar.ratio ?? 0, maxRatio) * scale
    return [
      `<text x="${titleWidth - 10}" y="${y + 13}" text-anchor="end"${bar.ours ? ' class="head"' : ''}>${escapeXml(bar.title)}</text>`,
      `<rect class="${bar.ours ? 'ours' : 'bar'}" x="${titleWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/>`,
      `<text x="${(titleWidth + length + 6).toFixed(1)}" y="${y + 13}">${labelOf(bar)}</text>`
    ].join('')
  })
  return `<text class="head" x="12" y="${top + 28}">${escapeXml(title)}</text>
<line class="one" x1="${oneAt}" x2="${oneAt}" y1="${top + headHeight - 6}" y2="${bottom - 4}"/>
${lines.join('\n')}`
}

const labelOf = ({ ratio }: Bar) => (ratio === undefined ? 'not measured' : `${ratio > maxRatio ? '→ ' : ''}${ratio.toFixed(2)}`)

const escapeXml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
