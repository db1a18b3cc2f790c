import { createHash } from 'node:crypto'
import type { Provider } from '../core/provider/definition.ts'

/** @param color of the vendor */
const styleOf = (color: string) => `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; background: var(--paper); color: var(--ink); --paper: #fff; --ink: #1b1f24; --line: #8a8f98; --quiet: #4a505a; --go: #1f4fbf; --on-go: #fff; --vendor: ${color} }
@media (prefers-color-scheme: dark) { :root { --paper: #14171c; --ink: #e8ebef; --line: #7d8590; --quiet: #b6bdc7; --go: #9dbdff; --on-go: #0b1a38 } }
body { margin: 0; padding: 1.5rem 1rem }
main { box-sizing: border-box; max-width: 28rem; margin: 0 auto; overflow-wrap: anywhere }
main { border-top: .375rem solid var(--vendor); padding-top: 1rem }
h1 { font-size: 1.375rem; line-height: 1.25; margin: 1.5rem 0 .75rem }
.note { margin: 0; padding: .75rem 1rem; border: 1px dashed var(--line); border-radius: .5rem; color: var(--quiet) }
ul { padding-left: 1.25rem }
.boxes { padding: 0; list-style: none }
label { display: block }
[for] { font-weight: 600 }
[type=checkbox] { width: 1rem; height: 1rem; margin: 0 .5rem 0 0; vertical-align: -.1em; accent-color: var(--go) }
[type=email] { box-sizing: border-box; width: 100%; font: inherit; padding: .5rem .75rem; border: 1px solid var(--line); border-radius: .375rem }
[type=email] { background: var(--paper); color: var(--ink) }
.hint { margin: .25rem 0 0; color: var(--quiet) }
.choice { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.25rem }
button { flex: 1 1 8rem; font: inherit; font-weight: 600; min-height: 2.75rem; border-radius: .375rem; border: 1px solid var(--line) }
button[value=allow] { background: var(--go); border-color: var(--go); color: var(--on-go) }
:focus-visible { outline: 3px solid var(--go); outline-offset: 2px }
`

type Page = { readonly text: string; readonly headers: Readonly<Record<string, string>> }
type Vendor = Pick<Provider, 'title' | 'color'>

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/**
 * Without `form-action`, which would also block the redirect back to the client. Images are for the empty icon: without one, Firefox
 * requests `/favicon.ico` and reports in the console that the policy blocks it.
 */
const headersOf = (style: string, script?: string) => ({
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': [
    "default-src 'none'",
    'img-src data:',
    `style-src ${hashOf(style)}`,
    ...(script === undefined ? [] : [`script-src ${hashOf(script)}`]),
    "base-uri 'none'",
    "frame-ancestors 'none'"
  ].join('; '),
  'referrer-policy': 'no-referrer'
})

const escapeHtml = (text: string) => text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)

function page(title: string, vendor: Vendor, body: string, script?: string): Page {
  const style = styleOf(vendor.color)
  const text = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<main>
<p class="note">This is a sandbox on this machine and not ${escapeHtml(vendor.title)}. It holds invented data, and what you do here reaches nobody.</p>
${body}
</main>${script === undefined ? '' : `\n<script>${script}</script>`}
</body>
</html>
`
  return { text, headers: headersOf(style, script) }
}

export type ConsentRequest = {
  readonly vendor: Vendor
  /** Whose data is requested. */
  readonly owner: string
  /** The scopes, in plain words. None: everything. */
  readonly access: ReadonlyArray<{ readonly scope: string; readonly text: string }>
  readonly email: string
}

/** Sign-in and consent on one page: the account, the access requested and the choice, of each scope if there are several. */
export const consentPage = ({ vendor, owner, access, email }: ConsentRequest): Page =>
  page(
    `Allow Grantkeeper to use your ${vendor.title} (sandbox)?`,
    vendor,
    `<h1>Allow Grantkeeper to use your ${escapeHtml(vendor.title)} (sandbox)?</h1>
<form method="post">
<p>With <strong>${escapeHtml(owner)}</strong> it will be able to:</p>
${access.length > 1 ? boxes(access) : `<ul>\n<li>${escapeHtml(access[0]?.text ?? 'See and change everything in the account')}</li>\n</ul>`}
<label for="email">Email</label>
<input id="email" name="email" type="email" autocomplete="email" required aria-describedby="hint" value="${escapeHtml(email)}">
<p class="hint" id="hint">Any address works here.</p>
<div class="choice">
<button name="choice" value="allow">Allow</button>
<button name="choice" value="deny" formnovalidate>Deny</button>
</div>
</form>`
  )

/** A form says nothing of boxes that are not ticked, so that it has to say that there were boxes. */
const boxes = (access: ConsentRequest['access']): string => `<input type="hidden" name="partly" value="1">
<ul class="boxes">
${access
  .map(
    ({ scope, text }) =>
      `<li><label><input type="checkbox" name="scope" value="${escapeHtml(scope)}" checked>${escapeHtml(text)}</label></li>`
  )
  .join('\n')}
</ul>`

export const errorPage = (vendor: Vendor, reason: string): Page =>
  page(
    `${vendor.title} (sandbox): this did not work`,
    vendor,
    `<h1>This did not work</h1>\n<p>${escapeHtml(reason)}</p>\n<p>Go back and start again.</p>`
  )

/** OAuth 2.0 Form Post Response Mode §2. */
export const formPostPage = (vendor: Vendor, redirectUri: string, params: Readonly<Record<string, string>>): Page =>
  page(
    `${vendor.title} (sandbox)`,
    vendor,
    `<h1>Back to Grantkeeper</h1>
<form method="post" action="${escapeHtml(redirectUri)}">
${Object.entries(params)
  .map(([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`)
  .join('\n')}
<div class="choice"><button>Continue</button></div>
</form>`,
    'document.forms[0].submit()'
  )
