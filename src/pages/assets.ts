import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { extname } from 'node:path'

export type Asset = {
  /** Contains `hash`: the response is cached forever, and a new release has a new URL. */
  readonly url: string
  readonly type: string
  readonly body: Buffer
  /** The first 12 hex digits of the body's SHA-256. */
  readonly hash: string
}

const contentTypes = { css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8', svg: 'image/svg+xml' } as const

/** The default of the client's `gateway`. Not in the client's own file, because React Native's engine cannot parse `import.meta`. */
const clientDefault = "servedFrom = new URL('.', import.meta.url).href\n"

export const icon = load('grantkeeper', 'svg')
export const stylesheet = load('grantkeeper', 'css')
export const clientScript = load('client', 'js')
export const connectionsScript = load('connections', 'js')
export const inviteScript = load('invite', 'js')
export const connectFormScript = load('connect-form', 'js')
export const popupScript = load('popup', 'js')

function load(name: string, extension: keyof typeof contentTypes): Asset {
  return createAsset(
    name,
    extension,
    extension === 'js' ? browserScript(name) : readFileSync(new URL(`assets/${name}.${extension}`, import.meta.url))
  )
}

export function createAsset(name: string, extension: keyof typeof contentTypes, content: Buffer | string): Asset {
  const body = Buffer.from(content)
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 12)
  return { url: `/assets/${name}-${hash}.${extension}`, type: contentTypes[extension], body, hash }
}

/** A file of `src/browser` as JavaScript, which it is already when this file is (in `dist`). */
function browserScript(name: string): Buffer {
  const extension = extname(import.meta.filename)
  const source = readFileSync(new URL(`../browser/${name}${extension}`, import.meta.url), 'utf8')
  // The gateway serves no source maps, and developer tools would ask for them.
  const script = extension === '.js' ? source.replace(/^\/\/# sourceMappingURL=.*\n?/m, '') : stripTypes(source)
  return Buffer.from(name === 'client' ? script + clientDefault : script)
}

function stripTypes(source: string): string {
  // Node warns at every start that this function is experimental.
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    // Types become whitespace, which keeps line numbers. The pages do without them.
    return stripTypeScriptTypes(source)
      .replace(/[ \t]+$/gm, '')
      .replace(/\n{3,}/g, '\n\n')
  } finally {
    process.emitWarning = emitWarning
  }
}
