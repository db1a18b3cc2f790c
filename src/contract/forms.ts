/** A form of a page without scripts: where it leads, and what it sends if nothing is changed. */
export type Form = { readonly action: string | undefined; readonly fields: ReadonlyArray<readonly [name: string, value: string]> }

/** Reads the first form of a page of the sandbox. */
export function readForm(html: string): Form {
  const [, opening = '', content = ''] = /<form([^>]*)>([\s\S]*?)<\/form>/.exec(html) ?? []
  const inputs = [...content.matchAll(/<input([^>]*)>/g)].map(([, attributes = '']) => attributes)
  return {
    action: attributeOf(opening, 'action'),
    fields: inputs.map(attributes => [attributeOf(attributes, 'name') ?? '', attributeOf(attributes, 'value') ?? ''])
  }
}

/** What a page says, for a message of one line. */
export const textOf = (html: string): string =>
  decode(html.replace(/<style>[\s\S]*?<\/style>|<script>[\s\S]*?<\/script>|<head>[\s\S]*?<\/head>/g, '').replace(/<[^>]*>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 300)

function attributeOf(attributes: string, name: string): string | undefined {
  const [, value] = new RegExp(` ${name}="([^"]*)"`).exec(attributes) ?? []
  return value === undefined ? undefined : decode(value)
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' }

const decode = (text: string): string =>
  text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/&(amp|lt|gt|quot);/g, (_, name: string) => named[name] ?? '')
