import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'

const root = join(import.meta.dirname, '..')
const files = ['*.md', 'docs/**/*.md', 'test/*/README.md'].flatMap(pattern => globSync(pattern, { cwd: root })).sort()

/** Without blocks and spans of code, in which a link is an example. */
const proseOf = (file: string): string =>
  readFileSync(join(root, file), 'utf8')
    .replace(/^```.*?^```$/gms, '')
    .replace(/`[^`\n]*`/g, 'code')

/** The anchors that GitHub gives to headings. */
function anchorsOf(file: string): Set<string> {
  const text = readFileSync(join(root, file), 'utf8').replace(/^```.*?^```$/gms, '')
  const anchors = new Set<string>()
  for (const [, heading = ''] of text.matchAll(/^#{1,6} (.+)$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const slug = plain.replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '').replaceAll(' ', '-')
    let anchor = slug
    for (let i = 1; anchors.has(anchor); i++) anchor = `${slug}-${i}`
    anchors.add(anchor)
  }
  return anchors
}

/** Of links, images and their HTML forms. Those to other sites are not of this project. */
const targetsOf = (file: string): string[] => {
  const text = proseOf(file)
  const inline = [...text.matchAll(/\]\(\s*<?([^)\s>]+)/g), ...text.matchAll(/\b(?:src|srcset|href)="([^"]+)"/g)]
  return inline.map(([, target = '']) => target).filter(target => !/^[a-z][a-z\d+.-]*:/i.test(target))
}

t.test('every relative link leads to a file, and its anchor to a heading', async t => {
  const broken: string[] = []
  let links = 0
  for (const file of files)
    for (const target of targetsOf(file)) {
      links++
      const [path = '', anchor] = target.split('#')
      const linked = path === '' ? file : join(dirname(file), decodeURIComponent(path))
      if (!existsSync(join(root, linked))) broken.push(`${file}: ${target}: there is no such file`)
      else if (anchor !== undefined && statSync(join(root, linked)).isFile() && !anchorsOf(linked).has(anchor))
        broken.push(`${file}: ${target}: there is no such heading`)
    }
  t.strictSame(broken, [])
  t.comment(`${links} links in ${files.length} files`)
  t.ok(links > 100, 'links are found')
})

t.test('docs/README.md lists every page', async t => {
  const listed = new Set(targetsOf('docs/README.md').map(target => join('docs', target.split('#')[0] ?? '')))
  const pages = files.filter(file => /^docs\/(reference\/)?[^/]+\.md$/.test(file) && file !== join('docs', 'README.md'))
  t.strictSame(
    pages.filter(page => !listed.has(page)),
    []
  )
})
