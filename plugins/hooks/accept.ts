import type { IncomingHttpHeaders } from 'node:http'

/**
 * Whether what we say is said as a page: to a person's browser, which prefers HTML to JSON (RFC 9110 §12.5.1). Never to a page's own
 * call, whatever it accepts (Fetch Metadata, `Sec-Fetch-Dest`).
 */
export function prefersPage({ accept, 'sec-fetch-dest': destination }: IncomingHttpHeaders): boolean {
  if (accept === undefined || destination === 'empty') return false
  const ranges = rangesIn(accept)
  const html = qualityOf(ranges, 'text/html')
  const json = Math.max(qualityOf(ranges, 'application/problem+json'), qualityOf(ranges, 'application/json'))
  if (html !== json) return html > json
  // Both as welcome: a browser names the one, a program the other, and what names neither is no browser.
  return html > 0 && ranges.has('text/html') && !ranges.has('application/json') && !ranges.has('application/problem+json')
}

/** Media ranges, in lower case, and how much each is wanted. */
function rangesIn(accept: string): Map<string, number> {
  const ranges = new Map<string, number>()
  // A quoted parameter may hold a comma.
  for (const part of accept
    .toLowerCase()
    .replace(/"(?:[^"\\]|\\.)*"/g, '')
    .split(',')) {
    const [range = '', ...parameters] = part.split(';').map(piece => piece.trim())
    const weight = parameters.find(parameter => /^q\s*=/.test(parameter))?.replace(/^q\s*=\s*/, '')
    // What is no weight says none: 1.
    if (range !== '') ranges.set(range, weight !== undefined && /^(0(\.\d*)?|1(\.0*)?)$/.test(weight) ? Number(weight) : 1)
  }
  return ranges
}

/** Of the range that is nearest to the type. */
const qualityOf = (ranges: ReadonlyMap<string, number>, type: string): number =>
  ranges.get(type) ?? ranges.get(`${type.slice(0, type.indexOf('/'))}/*`) ?? ranges.get('*/*') ?? 0
