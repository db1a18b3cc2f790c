import { isPathSegment } from '../util/percent-decoding.ts'
import { splitTarget } from '../util/request-target.ts'
import type { Provider } from './definition.ts'
import { isHostName } from './host-name.ts'
import { mapRequestTemplates, mapTemplates } from './map-templates.ts'
import { positionsIn, variablesIn } from './template.ts'

/** Where a definition uses a value, and so what the value may be. */
export type Position = 'host' | 'path' | 'header'

const positions = new WeakMap<Provider, ReadonlyMap<string, ReadonlySet<Position>>>()

/** The positions of every variable that the definition uses. */
export function positionsOf(definition: Provider): ReadonlyMap<string, ReadonlySet<Position>> {
  let known = positions.get(definition)
  if (!known) {
    known = findPositions(definition)
    positions.set(definition, known)
  }
  return known
}

/** For a copy of a definition whose addresses are elsewhere, and whose values are the same. */
export function adoptPositions(copy: Provider, original: Provider): void {
  positions.set(copy, positionsOf(original))
}

/**
 * What a value must be where the definition uses it.
 * @param isHost the value may be a whole host name
 * @returns a requirement such as `must be …`; `undefined` when the value meets all
 */
export function unmetPosition(value: string, placed: ReadonlySet<Position> | undefined, isHost: boolean): string | undefined {
  if (placed?.has('host') && !isHost && (!isHostName(value) || value.includes('.') || /^xn--/i.test(value)))
    return 'must be letters, digits and hyphens alone, as a part of a host name'
  if (placed?.has('host') && !isHostName(value)) return 'must be the name of a host'
  if (placed?.has('path') && !isPathSegment(value)) return 'must be a part of a path: no slash, question mark or hash, and not dots alone'
  if (placed?.has('header') && !/^[\x20-\x7e]*$/.test(value)) return 'must have no other characters than those of a US keyboard'
  return undefined
}

function findPositions(definition: Provider): Map<string, Set<Position>> {
  const found = new Map<string, Set<Position>>()
  const add = (position: Position | undefined, names: readonly string[]) => {
    for (const name of names) {
      const positions = found.get(name) ?? new Set<Position>()
      if (position) positions.add(position)
      found.set(name, positions)
    }
  }
  const url = (template: string) => {
    const { host, path, query } = positionsIn(template)
    add('host', host)
    add('path', path)
    add(undefined, query)
    return template
  }
  const within = (position?: Position) => (template: string) => {
    add(position, variablesIn(template))
    return template
  }
  const path = (template: string) => {
    const parts = splitTarget(template)
    add('path', variablesIn(parts.path))
    add(undefined, variablesIn(parts.query))
    return template
  }
  const changes = { url, path, header: within('header'), text: within() }
  mapTemplates(definition, changes)
  mapRequestTemplates(definition, changes)
  return found
}
