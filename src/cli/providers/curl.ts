import type { RecordedRequest } from './recorder.ts'

/** Headers that curl sends by itself, or that no vendor looks at. */
const leftOut = ['accept-encoding', 'user-agent']

/** The request as a command that a POSIX shell runs as it is shown. */
export function toCurl({ method, url, headers, body }: RecordedRequest): string {
  const options = Object.entries(headers)
    .filter(([name]) => !leftOut.includes(name))
    .map(([name, value]) => basicCredentials(name, value) ?? `--header ${quote(`${name}: ${value}`)}`)
  const methodOption = method === (body === '' ? 'GET' : 'POST') ? [] : [`--request ${method}`]
  return [`curl ${quote(url)}`, ...methodOption, ...options, ...(body === '' ? [] : [`--data ${quote(body)}`])].join(' \\\n  ')
}

/** RFC 7617 encodes them, and nobody can replace a placeholder in base64. */
function basicCredentials(name: string, value: string): string | undefined {
  const [, credentials] = /^Basic (.+)$/.exec(value) ?? []
  return name === 'authorization' && credentials !== undefined
    ? `--user ${quote(Buffer.from(credentials, 'base64').toString())}`
    : undefined
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
