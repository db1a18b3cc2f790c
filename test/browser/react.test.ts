import { build } from 'esbuild'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import t from 'tap'
import { ConnectButton, GrantkeeperProvider, useConnections } from '../../src/browser/react.ts'
import { createTestClient } from '../../src/browser/testing.ts'
import { newUser, startChromium } from '../support/chromium.ts'
import { startFrontend } from '../support/frontend.ts'

const List = () => createElement('p', null, useConnections().isLoading ? 'Loading' : 'Loaded')

t.test('a server renders the state before the first list, and requests nothing', t => {
  const client = createTestClient({ connections: [{ provider: 'acme', status: 'disconnected' }] })
  const children = [createElement(List, { key: 1 }), createElement(ConnectButton, { key: 2, provider: 'acme' })]
  const markup = renderToString(createElement(GrantkeeperProvider, { client }, children))
  t.equal(markup, '<p>Loading</p><button type="button" aria-busy="false">Connect acme</button>')
  t.same(client.calls, [])
  t.end()
})

t.test('a hook outside of the provider says what is missing', t => {
  t.throws(() => renderToString(createElement(List)), { message: /Render <GrantkeeperProvider/ })
  t.end()
})

t.test('hooks and buttons of an app share one list, which follows what they change', async t => {
  const app = await build({
    entryPoints: [new URL('react-app.js', import.meta.url).pathname],
    bundle: true,
    write: false,
    define: { 'process.env.NODE_ENV': '"development"' }
  })
  const html = `<!doctype html><title>App</title><div id="root"></div><script>${app.outputFiles[0]?.text.replaceAll('</script', '<\\/script')}</script>`
  const origin = await startFrontend(t, () => ({ html }))
  const { page, consoleErrors } = await newUser(t, await startChromium(t))
  await page.goto(origin)
  const text = (content: string) => page.getByText(content, { exact: true }).first().waitFor()
  const calls = (method: string) => page.evaluate<unknown[][]>(`client.calls.filter(c => c.method === '${method}').map(c => c.args)`)

  await text('Acme is disconnected')
  await page.getByRole('button', { name: 'Load' }).click()
  await text('connection_required')

  const button = page.getByRole('button', { name: 'Connect Acme' })
  t.equal(await button.getAttribute('class'), 'own')
  await button.click()
  await text('Acme is connected')
  t.match(await calls('connect'), [['acme', { popup: true, scopes: ['read'] }]])
  t.equal(await page.getByText('Acme is connected').count(), 2)
  await page.getByRole('button', { name: 'Load' }).click()
  await text('["a note"]')

  await page.getByRole('button', { name: 'Reconnect Zenith' }).click()
  await text('access_denied')
  t.match((await calls('connect'))[1], ['zenith', { popup: false }])
  t.ok(await page.getByRole('button', { name: 'Reconnect Zenith' }).isEnabled())

  await page.getByRole('button', { name: 'Disconnect' }).click()
  await text('Acme is disconnected')

  const before = (await calls('connections')).length
  await page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`)
  t.equal((await calls('connections')).length, before + 1, 'another tab may have changed something')
  t.same(consoleErrors, [])
})
