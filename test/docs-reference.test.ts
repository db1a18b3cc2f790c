import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { referencePages } from '../scripts/reference/pages.ts'

const folder = join(import.meta.dirname, '..', 'docs', 'reference')
const pages = await referencePages()

t.test('docs/reference has the pages that the code makes', async t => {
  t.strictSame(readdirSync(folder).sort(), [...pages.keys()].sort(), 'run npm run docs:reference')
})

for (const [name, text] of pages)
  t.test(`docs/reference/${name} says what the code says`, async t => {
    t.equal(readFileSync(join(folder, name), 'utf8'), text, 'run npm run docs:reference')
  })
