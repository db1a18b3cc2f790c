import type { ApiBase, Provider } from '../core/provider/definition.ts'
import { baseUrlOf } from '../core/provider/map-templates.ts'
import type { Placement } from '../core/provider/request-template.ts'
import type { Variables } from '../core/provider/template.ts'
import { matchBase } from './match-template.ts'
import { addressOf } from './played-request.ts'

/** Where in a vendor's API a request is. */
export type Location = {
  /** The name of the base; `undefined` for `api.baseUrl`. */
  readonly base: string | undefined
  /** Its own, if it has some. */
  readonly placements: readonly Placement[] | undefined
  /** Below the base. */
  readonly path: string
  /** Below `api.baseUrl`, which another base may lie below itself; `undefined` for a URL elsewhere. */
  readonly mainPath: string | undefined
  /** What stands for the expressions of its URL. */
  readonly variables: Variables
}

/** Finds the base of a request. Of several that match one at a host of its own is meant before one whose host is asked for, then the longest. */
export function createBases({ api: { baseUrl, bases = {} } }: Provider, prefix: string): (address: string) => Location | undefined {
  const all = [[undefined, baseUrl] as const, ...Object.entries(bases)].map(([base, declared]: readonly [string | undefined, ApiBase]) => ({
    base,
    template: addressOf(baseUrlOf(declared), prefix).path,
    placements: typeof declared === 'string' ? undefined : declared.placements
  }))
  const main = addressOf(baseUrl, prefix).path
  const inOrder = all.sort((a, b) => Number(hasOpenHost(a)) - Number(hasOpenHost(b)) || b.template.length - a.template.length)
  return address => {
    for (const { base, template, placements } of inOrder) {
      const match = matchBase(template, address)
      if (!match) continue
      const { rest: path, variables } = match
      return { base, placements, path, mainPath: base === undefined ? path : matchBase(main, address)?.rest, variables }
    }
    return undefined
  }
}

const hasOpenHost = ({ template }: { readonly template: string }): boolean => /^[^/]*\{/.test(template)
