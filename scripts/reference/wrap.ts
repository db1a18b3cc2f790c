const maxColumns = 120

/** Wraps a paragraph, or an item of a list. A code span and a link stay whole. @returns it with a line break at its end */
export function wrap(text: string): string {
  const words = text.replace(/\s*\n(?!- )\s*/g, ' ').match(/(?:`[^`]*`|\[[^\]]*\]\([^)]*\)|[^\s`[]|\[)+|\n/g) ?? []
  const lines = ['']
  for (const word of words) {
    const line = lines.at(-1) ?? ''
    if (word === '\n') lines.push('')
    else if (line === '') lines[lines.length - 1] = word
    else if (line.length + 1 + word.length <= maxColumns) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(`${/^(- | {2})/.test(line) ? '  ' : ''}${word}`)
  }
  return `${lines.join('\n')}\n`
}
