import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'

export type BrowserCode = { readonly body: string; readonly hash: string }

/** A file of `src/browser` as browsers take it. In `dist` it is JavaScript already. */
export function browserCode(name: string): BrowserCode {
  const source = new URL(`../browser/${name}.ts`, import.meta.url)
  const body = existsSync(source) ? withoutTypes(readFileSync(source, 'utf8')) : readFileSync(new URL(`${name}.js`, source), 'utf8')
  return { body, hash: createHash('sha256').update(body).digest('hex').slice(0, 12) }
}

function withoutTypes(source: string): string {
  // It warns that this function may change in a later Node, at every start and to nobody who could do anything about it.
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    // What is stripped leaves blanks, so that line numbers stay. Nobody needs those here.
    return stripTypeScriptTypes(source)
      .replace(/[ \t]+$/gm, '')
      .replace(/\n{3,}/g, '\n\n')
  } finally {
    process.emitWarning = emitWarning
  }
}
