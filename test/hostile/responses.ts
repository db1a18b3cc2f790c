export type Answer = { readonly status: number; readonly headers: Headers; readonly body: string }

/** The answers that came one after another on a connection (RFC 9112 §6.3). The last may lack its end. */
export function answersIn(text: string): Answer[] {
  const answers: Answer[] = []
  for (let rest = text; rest !== ''; ) {
    const { answer, length } = firstOf(rest)
    // RFC 9110 §15.2: an interim answer is none.
    if (answer.status >= 200) answers.push(answer)
    rest = rest.slice(length)
  }
  return answers
}

function firstOf(text: string): { answer: Answer; length: number } {
  const headEnd = text.indexOf('\r\n\r\n')
  const [first = '', ...lines] = text.slice(0, headEnd).split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1] ?? Number.NaN)
  if (headEnd === -1 || Number.isNaN(status)) throw new Error(`this is no answer: ${JSON.stringify(text.slice(0, 200))}`)
  const headers = new Headers(lines.map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
  const start = headEnd + 4
  if (headers.get('transfer-encoding') === 'chunked') {
    const { body, length } = unchunked(text.slice(start))
    return { answer: { status, headers, body }, length: start + length }
  }
  const length = Number(headers.get('content-length') ?? 0)
  return { answer: { status, headers, body: text.slice(start, start + length) }, length: start + length }
}

function unchunked(text: string): { body: string; length: number } {
  let body = ''
  for (let at = 0; ; ) {
    const lineEnd = text.indexOf('\r\n', at)
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    if (lineEnd === -1 || Number.isNaN(size)) throw new Error(`this is no chunk: ${JSON.stringify(text.slice(at, at + 200))}`)
    if (size === 0) return { body, length: lineEnd + 4 }
    body += text.slice(lineEnd + 2, lineEnd + 2 + size)
    at = lineEnd + 2 + size + 2
  }
}
