import { join } from 'node:path'
import { build } from 'esbuild'
import t from 'tap'
import { newFrontendUser, ownToken, startBearerFrontend } from '../support/bearer-frontend.ts'
import { startChromium } from '../support/chromium.ts'
import { connectInPopup, fetchNotes, openPopup, runWork, startWork, submitConsent, workResult } from '../support/client-page.ts'
import { clientPage } from '../support/frontend.ts'
import { installTarball } from '../support/installed-package.ts'

const { project } = installTarball()
const browser = await startChromium(t)

/** A frontend's own module, bundled with the package as it is installed. */
async function bundle(source: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: project },
    bundle: true,
    write: false,
    format: 'esm',
    // For React, which the app brings.
    nodePaths: [join(import.meta.dirname, '..', '..', 'node_modules')],
    define: { 'process.env.NODE_ENV': '"development"' }
  })
  return outputFiles[0]?.text ?? ''
}

const module = (code: string) => ({ html: code, headers: { 'content-type': 'text/javascript' } })

for (const kind of ['served', 'packaged'] as const) {
  t.test(`the ${kind} client connects, denies, requests, links and disconnects`, async t => {
    const code = kind === 'packaged' ? await bundle(`export * from 'grantkeeper/client'`) : ''
    const { gateway, frontend, vendor } = await startBearerFrontend(t, {
      pages: {
        '/client.js': () => module(code),
        // The packaged client must be told its gateway; the served one knows where it comes from.
        ...(kind === 'packaged' && {
          '/': (url: string) => ({ html: clientPage(url, `{ gateway: '${url}', ...${ownToken} }`, '/client.js') })
        })
      }
    })
    const served: string[] = []
    gateway.app.server.on('request', ({ url }) => void (url === '/client.js' && served.push(url)))
    const { page } = await newFrontendUser(t, browser, frontend, 'ada')
    t.equal(served.length, kind === 'served' ? 1 : 0)
    const failure = await runWork(page, fetchNotes())
    const connectUrl = `${gateway.url}/connect/productboard`
    t.match(failure, { error: { isOurs: true, name: 'GrantkeeperError', code: 'connection_required', status: 401, connectUrl } })

    await submitConsent(await openPopup(page, connectInPopup), 'Deny')
    t.match(await workResult(page), { error: { isOurs: true, code: 'access_denied' } })
    await submitConsent(await openPopup(page, connectInPopup), 'Allow')
    t.match(await workResult(page), { value: { provider: 'productboard', status: 'connected', id: /./ } })
    t.same(await runWork(page, fetchNotes()), { value: [200, 5] })
    t.match(await runWork(page, `grantkeeper.link('productboard', '/v2/notes')`), { value: { url: /\/links\//, expiresAt: /Z$/ } })
    t.match(await runWork(page, `grantkeeper.fetch('productboard', '/../connections')`), { error: { isOurs: true, code: 'path_rejected' } })
    t.match(await runWork(page, `grantkeeper.connections()`), { value: [{}, {}, {}, { provider: 'productboard', status: 'connected' }] })
    await runWork(page, `grantkeeper.disconnect('productboard')`)
    t.equal(vendor.counts.revocations, 1)

    await startWork(page, `grantkeeper.connect('productboard')`)
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.waitForURL(`${frontend}/`)
    await page.getByText('Ready').waitFor()
    t.match(await runWork(page, 'grantkeeper.complete()'), { value: { provider: 'productboard', status: 'connected' } })
  })
}

t.test('the packaged client without a gateway says what to give', async t => {
  const code = await bundle(`
    import { createClient } from 'grantkeeper/client'
    try { createClient() } catch (error) { document.body.append(error.name + ': ' + error.message) }`)
  const { frontend } = await startBearerFrontend(t, {
    pages: {
      '/': () => ({ html: '<!doctype html><title>App</title><body>Ready <script type="module" src="/app.js"></script>' }),
      '/app.js': () => module(code)
    }
  })
  const { page } = await newFrontendUser(t, browser, frontend, 'ada')
  await page.getByText('TypeError: gateway is undefined. Give the URL of the gateway').waitFor()
})

const reactApp = (gatewayUrl: string) => `
  import { createElement as h, useState } from 'react'
  import { createRoot } from 'react-dom/client'
  import { createClient } from 'grantkeeper/client'
  import { ConnectButton, GrantkeeperProvider, useConnections, useGrantkeeper, useGrantkeeperFetch } from 'grantkeeper/react'

  const client = createClient({ gateway: '${gatewayUrl}', ...${ownToken} })
  const Status = () => {
    const { connections = [] } = useConnections()
    return h('ul', null, ...connections.map(({ provider, title, status }) => h('li', { key: provider }, title + ' is ' + status)))
  }
  const Notes = () => {
    const fetchApi = useGrantkeeperFetch()
    const [text, setText] = useState('')
    const load = () => fetchApi('productboard', '/v2/notes').then(r => r.json()).then(({ data }) => setText(data.length + ' notes'), e => setText(e.code))
    return h('p', null, h('button', { onClick: load }, 'Load'), h('output', null, text))
  }
  const Disconnect = () => {
    const { disconnect } = useGrantkeeper()
    return h('button', { onClick: () => disconnect('productboard') }, 'Disconnect')
  }
  const App = () => {
    const [message, setMessage] = useState('')
    const report = { onConnect: ({ title, id }) => setMessage('Connected ' + title + (id ? '' : ' without id')), onError: ({ code }) => setMessage(code) }
    return h(GrantkeeperProvider, { client }, h('h1', null, 'Ready'), h(Status), h(Notes), h(ConnectButton, { provider: 'productboard', ...report }),
      h(Disconnect), h('p', { role: 'status' }, message))
  }
  createRoot(document.getElementById('root')).render(h(App))`

t.test('a ConnectButton of an app in React connects in a popup with the app’s own token', async t => {
  let app = ''
  const { gateway, frontend, crossSite } = await startBearerFrontend(t, {
    pages: {
      '/': () => ({ html: '<!doctype html><title>App</title><div id="root"></div><script type="module" src="/app.js"></script>' }),
      '/app.js': () => module(app)
    }
  })
  app = await bundle(reactApp(gateway.url))
  const { page, consoleErrors } = await newFrontendUser(t, browser, frontend, 'ada')
  const text = (content: string) => page.getByText(content, { exact: true }).waitFor()
  await text('Productboard is disconnected')
  await page.getByRole('button', { name: 'Load' }).click()
  await text('connection_required')

  const openByButton = async () => {
    const [popup] = await Promise.all([page.waitForEvent('popup'), page.getByRole('button', { name: 'Connect Productboard' }).click()])
    return popup
  }
  await submitConsent(await openByButton(), 'Deny')
  await text('access_denied')
  await submitConsent(await openByButton(), 'Allow')
  await text('Connected Productboard')
  await text('Productboard is connected')
  await page.getByRole('button', { name: 'Load' }).click()
  await text('5 notes')
  await page.getByRole('button', { name: 'Disconnect' }).click()
  await text('Productboard is disconnected')
  t.same(
    crossSite.filter(({ cookie }) => cookie !== undefined),
    [],
    'no request brought a cookie'
  )
  t.same(
    consoleErrors.filter(error => !error.includes('status of 401')),
    []
  )
})
