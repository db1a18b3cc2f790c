import type { Running, System } from './system.ts'
import { sizes } from './upstream.ts'

/**
 * Asks a system for one of everything before it is measured: the whole answers, and, where it signs people in, the credential up there,
 * the cookie not, and nothing without a session.
 * @returns what it gets wrong
 */
export async function findError({ authenticates }: System, { base, headers, cookies }: Running): Promise<string | undefined> {
  const cookie = cookies.at(-1)
  const own = { ...headers, ...(cookie !== undefined && { cookie }) }
  const ask = async (path: string, init: RequestInit) => {
    const response = await fetch(base + path, { redirect: 'manual', ...init })
    return { status: response.status, text: await response.text() }
  }
  for (const [path, bytes] of [['/small', sizes.small] as const, ['/large', sizes.large] as const]) {
    const { status, text } = await ask(path, { headers: own })
    if (status !== 200 || text.length !== bytes) return `${path} answered ${status} with ${text.length} bytes instead of ${bytes}`
  }
  const body = JSON.stringify({ text: 'x'.repeat(sizes.upload) })
  const uploaded = await ask('/upload', { method: 'POST', headers: { ...own, 'content-type': 'application/json' }, body })
  if (!uploaded.text.includes(`"${body.length}"`)) return `/upload answered ${uploaded.status} ${uploaded.text.slice(0, 200)}`
  if (!authenticates) return undefined

  const { authorization, cookie: sent } = JSON.parse((await ask('/who', { headers: own })).text)
  if (!authorization.startsWith('Bearer access-')) return 'the credential did not reach the upstream'
  if (sent !== '') return 'the session cookie reached the upstream'
  const { status } = await ask('/small', { headers })
  return status === 200 ? 'it lets people through without a session' : undefined
}
