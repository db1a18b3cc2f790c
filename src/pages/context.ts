import type { Brand } from '../core/brand.ts'
import type { Site } from '../core/site.ts'
import { type Asset, stylesheet } from './assets.ts'
import { createBrandAssets } from './brand-assets.ts'

/** What all pages of one gateway have in common. Made once, and passed to every page: several gateways may run in one process. */
export type PageContext = {
  readonly site: Site
  /** @param path of a route or an asset of this gateway. @returns the path that browsers request */
  readonly path: (path: string) => string
  readonly brand: PageBrand
  /** The assets of this brand alone. */
  readonly assets: readonly Asset[]
}

/** The brand as the head of every page shows it. */
type PageBrand = {
  /** Grantkeeper's, if the operator's product has none. */
  readonly name: string
  readonly isOperators: boolean
  /** URLs that browsers request. */
  readonly iconUrl: string
  readonly stylesheetUrls: readonly string[]
  /** The icon, if it is no asset of this gateway. */
  readonly logoUrl?: string
}

export function createPageContext(site: Site, brand: Brand = {}): PageContext {
  const { name, logoUrl } = brand
  const path = (path: string) => site.basePath + path
  const { icon, stylesheet: colors } = createBrandAssets(brand)
  const stylesheets = colors ? [stylesheet, colors] : [stylesheet]
  return {
    site,
    path,
    brand: {
      name: name ?? 'Grantkeeper',
      isOperators: name !== undefined,
      iconUrl: logoUrl ?? path(icon.url),
      stylesheetUrls: stylesheets.map(({ url }) => path(url)),
      ...(logoUrl !== undefined && { logoUrl })
    },
    assets: [icon, ...stylesheets]
  }
}
