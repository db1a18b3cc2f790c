import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

export type Asset = { readonly url: string; readonly type: string; readonly body: Buffer }

const types = { css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8', svg: 'image/svg+xml' } as const

/** The address holds the content's hash, so that it can be cached for ever and a new release is seen at once. */
function load(name: string, type: keyof typeof types): Asset {
  const body = readFileSync(new URL(`${type === 'js' ? '../browser' : 'assets'}/${name}.${type}`, import.meta.url))
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 12)
  return { url: `/assets/${name}-${hash}.${type}`, type: types[type], body }
}

export const stylesheet = load('grantkeeper', 'css')
export const script = load('connections', 'js')
export const keyScript = load('key-form', 'js')
export const inviteScript = load('invite', 'js')
export const icon = load('grantkeeper', 'svg')
