import type { Asset } from './assets.ts'
import type { PageContext } from './context.ts'
import { type Html, html } from './html.ts'

type PageOptions = {
  readonly title: string
  /** Who is signed in, beside the site's name. */
  readonly user?: Html | undefined
  readonly scripts?: readonly Asset[]
  /** As wide as a list of cards. The other pages are one card in the middle. */
  readonly isWide?: boolean
}

/** A complete HTML document. */
export function page(context: PageContext, { title, user, scripts = [], isWide = false }: PageOptions, content: Html): string {
  const { path, brand, language, messages, scriptTexts } = context
  return html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · ${brand.name}</title>
<link rel="icon" href="${brand.iconUrl}">
${brand.stylesheetUrls.map(url => html`<link rel="stylesheet" href="${url}">`)}
</head>
<body${scripts.length > 0 ? html` data-texts="${JSON.stringify(scriptTexts)}"` : ''}>
<header class="site-header"><div class="site-bar"><a class="site-name" href="${path('/')}"><img src="${brand.iconUrl}" alt="" height="30"><bdi>${brand.name}</bdi></a>${user}</div></header>
<main${isWide ? '' : html` class="narrow"`}>
${content}
</main>
${brand.appName === undefined ? '' : html`<footer class="site-footer"><p class="fine-print">${messages.byGrantkeeper}</p></footer>`}
${scripts.map(({ url }) => html`<script src="${path(url)}" type="module"></script>\n`)}</body>
</html>
`.text
}
