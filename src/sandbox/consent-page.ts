import { createHash } from 'node:crypto'

const style = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; background: var(--paper); color: var(--ink); --paper: #fff; --ink: #1b1f24; --line: #8a8f98; --quiet: #4a505a; --go: #1f4fbf; --on-go: #fff }
@media (prefers-color-scheme: dark) { :root { --paper: #14171c; --ink: #e8ebef; --line: #7d8590; --quiet: #b6bdc7; --go: #9dbdff; --on-go: #0b1a38 } }
body { margin: 0; padding: 1.5rem 1rem }
main { box-sizing: border-box; max-width: 28rem; margin: 0 auto; overflow-wrap: anywhere }
h1 { font-size: 1.375rem; line-height: 1.25; margin: 1.5rem 0 .75rem }
.note { margin: 0; padding: .75rem 1rem; border: 1px dashed var(--line); border-radius: .5rem; color: var(--quiet) }
ul { padding-left: 1.25rem }
label { display: block; font-weight: 600 }
input { box-sizing: border-box; width: 100%; font: inherit; padding: .5rem .75rem; border: 1px solid var(--line); border-radius: .375rem }
input { background: var(--paper); color: var(--ink) }
.hint { margin: .25rem 0 0; color: var(--quiet) }
.choice { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.25rem }
button { flex: 1 1 8rem; font: inherit; font-weight: 600; min-height: 2.75rem; border-radius: .375rem; border: 1px solid var(--line) }
button[value=allow] { background: var(--go); border-color: var(--go); color: var(--on-go) }
:focus-visible { outline: 3px solid var(--go); outline-offset: 2px }
`

/**
 * Without `form-action`, which would also block the redirect back to the client. Images are for the empty icon: without one, Firefox
 * requests `/favicon.ico` and reports in the console that the policy blocks it.
 */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': [
    "default-src 'none'",
    'img-src data:',
    `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
    "base-uri 'none'",
    "frame-ancestors 'none'"
  ].join('; '),
  'referrer-policy': 'no-referrer'
}

const escapeHtml = (text: string) => text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)

const page = (title: string, vendor: string, body: string) => `<!doctype html>
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
<p class="note">This is a sandbox on this machine and not ${escapeHtml(vendor)}. It holds invented data, and what you do here reaches nobody.</p>
${body}
</main>
</body>
</html>
`

export type ConsentRequest = {
  readonly vendor: string
  /** The account whose data is requested. */
  readonly account: string
  /** In plain words, an item a scope. */
  readonly access: readonly string[]
  readonly email: string
}

/** Sign-in and consent on one page: the account, the access requested and the choice. */
export const consentPage = ({ vendor, account, access, email }: ConsentRequest): string =>
  page(
    `Allow Grantkeeper to use your ${vendor} (sandbox)?`,
    vendor,
    `<h1>Allow Grantkeeper to use your ${escapeHtml(vendor)} (sandbox)?</h1>
<p>With <strong>${escapeHtml(account)}</strong> it will be able to:</p>
<ul>
${access.map(item => `<li>${escapeHtml(item)}</li>`).join('\n')}
</ul>
<form method="post">
<label for="email">Email</label>
<input id="email" name="email" type="email" autocomplete="email" required aria-describedby="hint" value="${escapeHtml(email)}">
<p class="hint" id="hint">Any address works here.</p>
<div class="choice">
<button name="choice" value="allow">Allow</button>
<button name="choice" value="deny" formnovalidate>Deny</button>
</div>
</form>`
  )

export const errorPage = (vendor: string, reason: string): string =>
  page(
    `${vendor} (sandbox): this did not work`,
    vendor,
    `<h1>This did not work</h1>\n<p>${escapeHtml(reason)}</p>\n<p>Go back and start again.</p>`
  )
