import type { Running, System } from './system.ts'
import { sizes } from './upstream.ts'

/**
 * Checks a system before it is measured: its responses must be complete. If it authenticates, it must send the credential but not the
 * cookie upstream, and reject requests without a session.
 * @returns the first error found
 */
export async function findError({ authenticates }: System, { base, headers, credentials }: Running): Promise<string | undefined> {
  const credential = credentials.at(-1)
  const name = credential?.startsWith('Bearer ') ? 'authorization' : 'cookie'
  const sessionHeaders = { ...headers, ...(credential !== undefined && { [name]: credential }) }
  const request = async (path: string, init: RequestInit) => {
    const response = await fetch(base + path, { redirect: 'manual', ...init })
    return { status: response.status, text: await response.text() }
  }
  for (const [path, bytes] of [['/small', sizes.small] as const, ['/large', sizes.large] as const]) {
    const { status, text } = await request(path, { headers: sessionHeaders })
    if (status !== 200 || text.length !== bytes) return `${path} responded ${status} with ${text.length} bytes instead of ${bytes}`
  }
  const body = JSON.stringify({ text: 'x'.repeat(sizes.upload) })
  const uploaded = await request('/upload', { method: 'POST', headers: { ...sessionHeaders, 'content-type': 'application/json' }, body })
  if (!uploaded.text.includes(`"${body.length}"`)) return `/upload responded ${uploaded.status} ${uploaded.text.slice(0, 200)}`
  if (!authenticates) return undefined

  const { authorization, cookie: sentCookie } = JSON.parse((await request('/who', { headers: sessionHeaders })).text)
  if (!authorization.startsWith('Bearer access-')) return 'the credential did not reach the upstream'
  if (sentCookie !== '') return 'the session cookie reached the upstream'
  const { status } = await request('/small', { headers })
  return status === 200 ? 'it accepts requests without a session' : undefined
}
