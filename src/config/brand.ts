import type { Brand } from '../core/brand.ts'
import { toSingleLine } from '../core/util/display-text.ts'
import type { EnvironmentReader } from './environment.ts'
import { readUrl } from './urls.ts'

/** Fits beside a logo on a narrow phone, and into the title of a window. */
const maxNameCharacters = 40

/** `APP_…`: what the pages call the operator's product, its logo and its colour. What is invalid is left out, and noted as a problem. */
export function readBrand(env: EnvironmentReader, { production }: { readonly production: boolean }): Brand {
  const [name, logoUrl, color] = [readName(env), readLogoUrl(env, production), readColor(env)]
  return { ...(name !== undefined && { name }), ...(logoUrl !== undefined && { logoUrl }), ...(color !== undefined && { color }) }
}

function readName(env: EnvironmentReader): string | undefined {
  const name = env.text('APP_NAME', 'Acme')
  if (name === undefined || (toSingleLine(name) === name && [...name].length <= maxNameCharacters)) return name
  env.addProblem(
    `APP_NAME must be one line of at most ${maxNameCharacters} characters, without control and formatting characters, for example ${env.exampleOf('APP_NAME')}.`
  )
  return undefined
}

/** A path that ends with a slash would allow every image below it (Content Security Policy Level 3, "path-part matches"). */
function readLogoUrl(env: EnvironmentReader, production: boolean): string | undefined {
  const parsed = readUrl(env, 'APP_LOGO_URL', { production, kind: 'endpoint', example: 'https://www.example.com/logo.svg' })
  if (!parsed?.url.pathname.endsWith('/')) return parsed?.href
  env.addProblem(`APP_LOGO_URL must be the URL of one image, not of a folder, for example ${env.exampleOf('APP_LOGO_URL')}.`)
  return undefined
}

/** With or without `#`, after which some programs that read env files take the rest of a line for a comment. */
function readColor(env: EnvironmentReader): string | undefined {
  const text = env.text('APP_COLOR', '0a7d5a')
  if (text === undefined) return undefined
  const digits = /^#?([0-9a-f]{6}|[0-9a-f]{3})$/i.exec(text)?.[1]?.toLowerCase()
  if (digits !== undefined) return `#${digits.length === 3 ? digits.replace(/./g, '$&$&') : digits}`
  env.addProblem(
    `APP_COLOR: ${env.quote('APP_COLOR', text)} is not a colour of six or three hexadecimal digits, for example ${env.exampleOf('APP_COLOR')}.`
  )
  return undefined
}
