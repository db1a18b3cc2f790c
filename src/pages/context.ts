import type { PageTexts } from '../browser/page-texts.ts'
import type { Brand } from '../core/brand.ts'
import type { Site } from '../core/site.ts'
import { type Asset, stylesheet } from './assets.ts'
import { createBrandAssets } from './brand-assets.ts'
import { type Language, languages, lookupLanguage } from './languages.ts'
import type { Messages } from './messages/en.ts'

/** What a page needs besides its own content. Every page function takes it first. */
export type PageContext = {
  readonly site: Site
  /** @param path of a route or an asset of this gateway. @returns the path that browsers request */
  readonly path: (path: string) => string
  readonly brand: PageBrand
  /** BCP 47. */
  readonly language: string
  readonly messages: Messages
  /** `A, B and C` in this language. */
  readonly listFormat: Intl.ListFormat
  /** `Nov 28, 2026, 12:59 PM` in this language, in UTC. */
  readonly dateFormat: Intl.DateTimeFormat
  /** For the scripts of a page. */
  readonly scriptTexts: PageTexts
}

/** The brand as every page shows it. */
type PageBrand = {
  /** Grantkeeper's, if the operator's product has none. */
  readonly name: string
  /** Of the operator's product. */
  readonly appName: string | undefined
  /** URLs that browsers request. */
  readonly iconUrl: string
  readonly stylesheetUrls: readonly string[]
}

/** The contexts of all pages of one gateway. Made once for each gateway: several may run in one process. */
export type PageContexts = {
  /** In the language of a visitor. @param acceptLanguage the header */
  readonly for: (acceptLanguage: string | undefined) => PageContext
  /** The assets of this brand alone. */
  readonly assets: readonly Asset[]
  /** The operator's logo, which is no asset of this gateway. */
  readonly logoUrl: string | undefined
}

export function createPageContexts(site: Site, brand: Brand): PageContexts {
  const { name: appName, logoUrl } = brand
  const path = (path: string) => site.basePath + path
  const { icon, stylesheet: colors } = createBrandAssets(brand)
  const stylesheets = colors ? [stylesheet, colors] : [stylesheet]
  const pageBrand: PageBrand = {
    name: appName ?? 'Grantkeeper',
    appName,
    iconUrl: logoUrl ?? path(icon.url),
    stylesheetUrls: stylesheets.map(({ url }) => path(url))
  }
  const contexts = new Map(languages.map(language => [language, { site, path, brand: pageBrand, ...inLanguage(language) }]))
  return {
    for: acceptLanguage => contexts.get(lookupLanguage(acceptLanguage, languages)) as PageContext,
    assets: [icon, ...stylesheets],
    logoUrl
  }
}

function inLanguage({ tag, messages }: Language): Pick<PageContext, 'language' | 'messages' | 'listFormat' | 'dateFormat' | 'scriptTexts'> {
  const problems = Object.entries(messages.problems?.texts ?? {}).map(([code, { text }]) => [code, text] as const)
  return {
    language: tag,
    messages,
    listFormat: new Intl.ListFormat(tag, { type: 'conjunction' }),
    dateFormat: new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }),
    scriptTexts: { ...messages.scripts, problems: Object.fromEntries(problems) }
  }
}
