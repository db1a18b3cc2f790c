import type { IncomingHttpHeaders } from 'node:http'

/**
 * Whether an error is sent as an HTML page: to a browser, which prefers HTML to JSON (RFC 9110 §12.5.1). Never to a page's own fetch,
 * whatever it accepts (Fetch Metadata, `Sec-Fetch-Dest`).
 */
export function prefersPage({ accept, 'sec-fetch-dest': destination }: IncomingHttpHeaders): boolean {
  if (accept === undefined || destination === 'empty') return false
  const ranges = parseRanges(accept)
  const html = qualityOf(ranges, 'text/html')
  const json = Math.max(qualityOf(ranges, 'application/problem+json'), qualityOf(ranges, 'application/json'))
  if (html !== json) return html > json
  // Both are equally acceptable: a browser names HTML, a program names JSON, and a client that names neither is no browser.
  return html > 0 && ranges.has('text/html') && !ranges.has('application/json') && !ranges.has('application/problem+json')
}

/** Media ranges in lower case, with their weights. */
function parseRanges(accept: string): Map<string, number> {
  const ranges = new Map<string, number>()
  // A quoted parameter may hold a comma.
  for (const part of accept
    .toLowerCase()
    .replace(/"(?:[^"\\]|\\.)*"/g, '')
    .split(',')) {
    const [range = '', ...parameters] = part.split(';').map(piece => piece.trim())
    const weight = parameters.find(parameter => /^q\s*=/.test(parameter))?.replace(/^q\s*=\s*/, '')
    // An invalid weight counts as none, which is 1.
    if (range !== '') ranges.set(range, weight !== undefined && /^(0(\.\d*)?|1(\.0*)?)$/.test(weight) ? Number(weight) : 1)
  }
  return ranges
}

/** The weight of the most specific range that matches the type. */
const qualityOf = (ranges: ReadonlyMap<string, number>, type: string): number =>
  ranges.get(type) ?? ranges.get(`${type.slice(0, type.indexOf('/'))}/*`) ?? ranges.get('*/*') ?? 0
