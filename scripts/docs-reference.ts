// Run by `npm run docs:reference`: writes docs/reference from the code. test/docs/reference.test.ts fails while they differ.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { referencePages } from './reference/pages.ts'

const folder = join(import.meta.dirname, '..', 'docs', 'reference')
const pages = await referencePages()
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder)
for (const [name, text] of pages) writeFileSync(join(folder, name), text)
