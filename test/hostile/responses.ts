export type ParsedResponse = { readonly status: number; readonly headers: Headers; readonly body: string }

/** The final responses on a connection, in order (RFC 9112 §6.3). The last body may be incomplete. */
export function parseResponses(text: string): ParsedResponse[] {
  const responses: ParsedResponse[] = []
  for (let rest = text; rest !== ''; ) {
    const { response, length } = parseFirst(rest)
    // RFC 9110 §15.2: skips interim responses.
    if (response.status >= 200) responses.push(response)
    rest = rest.slice(length)
  }
  return responses
}

function parseFirst(text: string): { response: ParsedResponse; length: number } {
  const headEnd = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = text.slice(0, headEnd).split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1] ?? Number.NaN)
  if (headEnd === -1 || Number.isNaN(status)) throw new Error(`not a response: ${JSON.stringify(text.slice(0, 200))}`)
  const headers = new Headers(lines.map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
  const start = headEnd + 4
  if (headers.get('transfer-encoding') === 'chunked') {
    const { body, length } = decodeChunks(text.slice(start))
    return { response: { status, headers, body }, length: start + length }
  }
  const length = Number(headers.get('content-length') ?? 0)
  return { response: { status, headers, body: text.slice(start, start + length) }, length: start + length }
}

function decodeChunks(text: string): { body: string; length: number } {
  let body = ''
  for (let at = 0; ; ) {
    const lineEnd = text.indexOf('\r\n', at)
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    if (lineEnd === -1 || Number.isNaN(size)) throw new Error(`not a chunk: ${JSON.stringify(text.slice(at, at + 200))}`)
    if (size === 0) return { body, length: lineEnd + 4 }
    body += text.slice(lineEnd + 2, lineEnd + 2 + size)
    at = lineEnd + 2 + size + 2
  }
}
