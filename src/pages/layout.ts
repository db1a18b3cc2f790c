import type { PageContext } from './context.ts'
import { type Html, html } from './html.ts'

/** A complete HTML document. Pages add their scripts to `content`. @param user who is signed in, beside the site's name */
export function page({ path, brand }: PageContext, title: string, content: Html, user?: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · ${brand.name}</title>
<link rel="icon" href="${brand.iconUrl}">
${brand.stylesheetUrls.map(url => html`<link rel="stylesheet" href="${url}">`)}
</head>
<body>
<header class="site-header"><div class="site-bar"><a class="site-name" href="${path('/')}"><img src="${brand.iconUrl}" alt="" height="30"><bdi>${brand.name}</bdi></a>${user}</div></header>
<main>
${content}
</main>
${brand.isOperators ? html`<footer class="site-footer"><p class="fine-print">by Grantkeeper</p></footer>` : ''}
</body>
</html>
`.text
}
