import type { Test } from 'tap'
import { newServiceKey } from '../../src/core/users/service-keys.ts'
import { Browser } from './browser.ts'
import { startFakeProvider } from './fake-provider.ts'
import { freePort } from './free-port.ts'
import { startGateway } from './gateway.ts'
import { pasteKey } from './paste-key.ts'

type VisitedPage = { readonly name: string; readonly url: string; readonly headers: Headers; readonly text: string }

/** What a browser sees of the pages of a gateway that is told only apart by these options. */
type EveryPageOptions = {
  /** The path of the public URL. */
  readonly basePath?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Sent with every visit. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Every page of a gateway in which anonymous browsers have connections, in each state that has controls of its own. */
export async function visitEveryPage(t: Test, { basePath = '', environment = {}, headers = {} }: EveryPageOptions = {}) {
  const provider = await startFakeProvider(t)
  const { key, entry } = newServiceKey('nightly')
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const url = origin + basePath
  await startGateway(t, { port, environment: { ...provider.environment, PUBLIC_URL: url, SERVICE_KEYS: entry, ...environment } })
  const browser = new Browser()
  const pages: VisitedPage[] = []
  const visit = async (name: string, address: string) => {
    const visited = await browser.visit(address.startsWith('/') ? url + address : address, { headers })
    pages.push({ name, url: visited.url, headers: visited.headers, text: visited.text })
  }
  const post = async (path: string, body: unknown, more: Record<string, string> = {}) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json', ...more }, body: JSON.stringify(body) }
    return (await (await browser.fetch(url + path, init)).json()) as Record<string, string>
  }

  await visit('nothing connected', '/')
  await pasteKey({ url }, browser, 'productboard', 'one')
  await visit('one account', '/?connected=productboard')
  await visit('reconnect', '/connect/productboard')
  await pasteKey({ url }, browser, 'productboard', 'two', { more: { account: 'add' } })
  const invitation = await post('/connections/productboard/invitation', { name: 'Ada' })
  await visit('several accounts and an invitation', '/')
  await visit('a failed sign-in', '/?connect_error=access_denied&provider=productboard')
  await visit('one more account', '/connect/productboard?account=add')
  await visit('an unsolicited callback', '/auth/productboard/callback?code=unasked')
  await visit('an invalid sign-in', '/auth/productboard/callback?code=late&state=late')
  await visit('not found', '/nothing')
  await visit('an invitation', invitation.url ?? '')
  await visit('an invitation after a refusal', `${invitation.url}?connect_error=access_denied`)
  await visit('thanks', '/invitations/thanks?provider=productboard')
  await visit('declined', '/invitations/declined')
  await visit('the end of a popup', `/popup?${new URLSearchParams({ opener: origin, provider: 'productboard' })}`)
  const bearer = { authorization: `Bearer ${key.reveal()}`, 'grantkeeper-user': 'u-1' }
  const link = await post('/auth/productboard', { returnTo: `${origin}/done`, choose: true }, bearer)
  await visit('a link of a bearer', link.url ?? '')
  return { url, origin, browser, pages }
}
