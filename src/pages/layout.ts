import { icon, stylesheet } from './assets.ts'
import type { PageContext } from './context.ts'
import { type Html, html } from './html.ts'

/** A complete HTML document. Pages add their scripts to `content`. @param user who is signed in, beside the site's name */
export function page({ path }: PageContext, title: string, content: Html, user?: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Grantkeeper</title>
<link rel="icon" href="${path(icon.url)}" type="image/svg+xml">
<link rel="stylesheet" href="${path(stylesheet.url)}">
</head>
<body>
<header class="site-header"><div class="site-bar"><a class="site-name" href="${path('/')}"><img src="${path(icon.url)}" alt="" width="30" height="30">Grantkeeper</a>${user}</div></header>
<main>
${content}
</main>
</body>
</html>
`.text
}
