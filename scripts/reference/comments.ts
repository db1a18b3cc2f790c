import { Node } from 'ts-morph'
import { commentOwnerOf } from './declarations.ts'

/** The comment of a declaration. */
export function docsOf(node: Node): { readonly paragraphs: string[]; readonly items: string[]; readonly examples: string[] } {
  const owner = commentOwnerOf(node)
  const doc = Node.isJSDocable(owner) ? owner.getJsDocs().at(-1) : undefined
  const tags = doc?.getTags().map(tag => ({ name: tag.getTagName(), text: contentOf(tag.getText()).replace(/^@\w+\s*/, '') })) ?? []
  const [examples, others] = [tags.filter(({ name }) => name === 'example'), tags.filter(({ name }) => name !== 'example')]
  return {
    paragraphs: contentOf(doc?.getDescription() ?? '')
      .split(/\n{2,}/)
      .filter(text => text !== ''),
    items: others.map(({ name, text }) => itemOf(name, text)),
    examples: examples.map(({ text }) => text)
  }
}

/** Without the asterisks of a comment. */
const contentOf = (text: string): string => text.replace(/^[ \t]*\*[ ]?/gm, '').trim()

function itemOf(name: string, text: string): string {
  const words = text.replace(/\s*\n\s*/g, ' ')
  if (name === 'param') return words.replace(/^(\w+)/, '`$1`:')
  if (name === 'throws') return `throws ${words.replace(/^\{(\w+)\}/, '`$1`:').replace(/:$/, '')}`
  return `${name} ${words}`
}
