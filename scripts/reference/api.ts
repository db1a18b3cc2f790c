import { join } from 'node:path'
import { ModuleKind, type Node, Project, ScriptTarget } from 'ts-morph'
import { docsOf } from './comments.ts'
import { codeOf, nameOf, usedBy } from './declarations.ts'
import { wrap } from './wrap.ts'

const root = join(import.meta.dirname, '..', '..')

type Entry = { readonly page: string; readonly specifier: string; readonly source: string; readonly does: string }

/** What one page has that another one describes is a link there: those that others use come first. */
const entries: readonly Entry[] = [
  {
    page: 'provider.md',
    specifier: 'grantkeeper/provider',
    source: 'src/provider.ts',
    does: 'write a [definition](../adding-a-provider.md) of your own, outside of this repository'
  },
  {
    page: 'plugin.md',
    specifier: 'grantkeeper',
    source: 'src/index.ts',
    does: 'look up each option of the [plugin](../embedding.md), and each method of `app.grantkeeper`'
  },
  {
    page: 'client.md',
    specifier: 'grantkeeper/client',
    source: 'src/browser/client.ts',
    does: 'look up each method of the [client](../frontend.md), and each of its errors'
  },
  {
    page: 'react.md',
    specifier: 'grantkeeper/react',
    source: 'src/browser/react.ts',
    does: 'look up the [hooks and the button](../frontend.md#react)'
  },
  {
    page: 'testing.md',
    specifier: 'grantkeeper/testing',
    source: 'src/browser/testing.ts',
    does: 'look up the [client for tests](../frontend.md#tests)'
  }
]

/** What a page describes: its name, and where it is declared. */
type Described = { readonly name: string; readonly node: Node }

/** A page for each entry of the package, from its types and docstrings. */
export function apiPages(): Map<string, string> {
  const compilerOptions = { module: ModuleKind.NodeNext, target: ScriptTarget.ESNext, strict: true, allowImportingTsExtensions: true }
  const project = new Project({ compilerOptions: { ...compilerOptions, noEmit: true, types: ['node'] } })
  /** The page and heading of everything that is described. */
  const links = new Map<Node, string>()
  const pages = new Map<string, string>()
  for (const entry of entries) pages.set(entry.page, pageOf(project, entry, links))
  return pages
}

function pageOf(project: Project, { page, specifier, source, does }: Entry, links: Map<Node, string>): string {
  const exported = [...project.addSourceFileAtPath(join(root, source)).getExportedDeclarations()]
    .flatMap(([name, nodes]) => nodes.map(node => ({ name, node })))
    // Overloads are one declaration here.
    .filter(({ name, node }, i, all) => all.findIndex(other => other.name === name && isSameKind(other.node, node)) === i)
    .sort((a, b) => compare(a.name, b.name))
  const elsewhere = exported.filter(({ node }) => links.has(node))
  const own = exported.filter(({ node }) => !links.has(node))
  for (const { name, node } of own) links.set(node, `${page}#${slugOf(name)}`)

  const used: Described[] = []
  for (const { node } of own) collectUsed(node, links, page, used)
  const others = [...own, ...used].flatMap(({ node }) => [...usedBy(node)]).flatMap(node => linkOf(node, links, page))
  const isExported = (name: string) => exported.some(other => other.name === name)
  const linked = new Map(others.filter(([name]) => !isExported(name)).sort(([a], [b]) => compare(a, b)))

  const text = [
    `# ${specifier}\n`,
    wrap(`After this page you can ${does}. It is made from the types and their comments.`),
    ...own.map(described => sectionOf(described, '##')),
    ...(used.length > 0 ? ['## Types that they use\n', ...used.map(described => sectionOf(described, '###'))] : []),
    ...(elsewhere.length > 0 || linked.size > 0 ? [`## See also\n`] : []),
    ...(elsewhere.length > 0 ? [wrap(`This entry also exports ${listOf(elsewhere.map(({ node }) => linkOf(node, links, '')[0]))}.`)] : []),
    ...(linked.size > 0 ? [wrap(`Types of other entries: ${listOf([...linked])}.`)] : [])
  ]
  return `${text.join('\n').trimEnd()}\n`
}

const compare = (a: string, b: string): number => (a === 'default' ? -1 : b === 'default' ? 1 : a < b ? -1 : 1)
const isSameKind = (one: Node, other: Node): boolean => one.getKind() === other.getKind()
const slugOf = (name: string): string => (name === 'default' ? 'default-export' : name.toLowerCase())
const listOf = (all: ReadonlyArray<readonly [name: string, link: string] | undefined>): string =>
  all
    .filter(item => item !== undefined)
    .map(([name, link]) => `[\`${name}\`](${link})`)
    .join(', ')

/** The link to what another page describes. */
function linkOf(node: Node, links: ReadonlyMap<Node, string>, page: string): Array<readonly [name: string, link: string]> {
  const link = links.get(node)
  const name = nameOf(node)
  return link === undefined || name === '' || link.startsWith(`${page}#`) ? [] : [[name, link]]
}

/** Types of this project that a declaration names and no page describes yet, and those that these name. */
function collectUsed(node: Node, links: Map<Node, string>, page: string, found: Described[]): void {
  for (const declaration of usedBy(node)) {
    if (links.has(declaration)) continue
    const name = nameOf(declaration)
    links.set(declaration, `${page}#${slugOf(name)}`)
    found.push({ name, node: declaration })
    collectUsed(declaration, links, page, found)
  }
}

function sectionOf({ name, node }: Described, heading: string): string {
  const { paragraphs, items, examples } = docsOf(node)
  const parts = [
    `${heading} ${name === 'default' ? 'default export' : `\`${name}\``}\n`,
    ...paragraphs.map(wrap),
    codeBlock(codeOf(node)),
    ...(items.length > 0 ? [items.map(item => wrap(`- ${item}`)).join('')] : []),
    ...examples.map(codeBlock)
  ]
  return parts.join('\n')
}

const codeBlock = (code: string): string => `\`\`\`ts\n${code}\n\`\`\`\n`
