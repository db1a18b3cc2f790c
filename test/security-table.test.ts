import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const project = join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(join(project, file), 'utf8')

/** The rows of docs/security.md that begin with a number: number, requirement, status, how, where, tests. */
const rows = read('docs/security.md')
  .split('\n')
  .filter(line => /^\| \d+ \|/.test(line))
  .map(line => line.split(' | ').map(cell => cell.replace(/^\| | \|$/g, '')))

t.test('the table of requirements has each of the 63 once', async t => {
  t.same(
    rows.map(([number]) => Number(number)),
    // 60 is about webhooks, which there are none of.
    [...Array.from({ length: 59 }, (_, i) => i + 1), 61, 62, 63, 64]
  )
})

for (const [number, , status, , where = '', tests = ''] of rows) {
  t.test(`what the table says of SEC-${number} is there: the places, the tests, and the number in the title of one`, async t => {
    t.match(status, /^(not )?met$/)
    for (const [, file = ''] of where.matchAll(/`([^`]+)`/g)) t.ok(existsSync(join(project, file)), file)
    const cited = tests.split('<br>').flatMap(part => {
      const [, file = ''] = /^`([^`]+)`/.exec(part) ?? []
      const source = read(file)
      return [...part.matchAll(/"([^"]+)"/g)].map(([, title = '']) => {
        t.ok(source.includes(title), `${file}: ${title}`)
        return title
      })
    })
    t.ok(
      cited.some(title => new RegExp(`\\bSEC-${number}\\b`).test(title)),
      `a title with SEC-${number}`
    )
  })
}
