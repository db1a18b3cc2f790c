import type { Site } from '../core/site.ts'

/** What all pages of one gateway have in common. Made once, and passed to every page: several gateways may run in one process. */
export type PageContext = {
  readonly site: Site
  /** @param path of a route or an asset of this gateway. @returns the path that browsers request */
  readonly path: (path: string) => string
}

export const createPageContext = (site: Site): PageContext => ({ site, path: path => site.basePath + path })
