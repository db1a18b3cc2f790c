import { createReadStream } from 'node:fs'
import { text } from 'node:stream/consumers'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { type BearerFrontendOptions, newFrontendUser, showConsent, startBearerFrontend } from '../support/bearer-frontend.ts'
import { startChromium } from '../support/chromium.ts'
import { openPopup, runWork, workResult } from '../support/client-page.ts'
import { startFrontend } from '../support/frontend.ts'

const browser = await startChromium(t)

const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="12" height="34"/>'

/** A user with a connection to a provider that has an image, a file and a stream of events. */
async function startConnectedUser(t: Test, options: BearerFrontendOptions = {}) {
  const started = await startBearerFrontend(t, options)
  const { provider, frontend } = started
  const streams = new Set<() => void>()
  provider.api = ({ url, headers }, response) => {
    if (!headers.authorization) return response.writeHead(401).end()
    if (url === '/base/logo.svg') return response.writeHead(200, { 'content-type': 'image/svg+xml' }).end(svg)
    if (url === '/base/report.csv?year=2026')
      return response
        .writeHead(200, { 'content-type': 'text/csv', 'content-disposition': 'attachment; filename="report.csv"' })
        .end('a,b\n1,2\n')
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n')
    streams.add(() => response.write('data: second\n\n'))
  }
  showConsent(provider)
  const user = await newFrontendUser(t, browser, frontend, 'ada')
  const popup = await openPopup(user.page, `grantkeeper.connect('process-street', { popup: true })`)
  await Promise.all([popup.waitForEvent('close'), popup.getByRole('link', { name: 'Allow' }).click()])
  t.match(await workResult(user.page), { value: { status: 'connected' } })
  const sendEvent = () => {
    for (const send of streams) send()
  }
  return { ...started, ...user, sendEvent }
}

async function linkTo(page: Page, path: string): Promise<string> {
  const { value, error } = (await runWork(page, `grantkeeper.link('process-street', '${path}')`)) as {
    value?: { url: string }
    error?: { code: string }
  }
  if (!value) throw new Error(`no link: ${error?.code}`)
  return value.url
}

/** Shows an image. @returns its size, or `undefined` if it cannot be loaded */
const imageSize = (page: Page, url: string) =>
  page.evaluate(`new Promise(resolve => {
    const image = Object.assign(new Image(), { src: '${url}' })
    image.onload = () => resolve([image.naturalWidth, image.naturalHeight])
    image.onerror = () => resolve(undefined)
    document.body.append(image)
  })`)

t.test('a page on another site shows an image by its link, until the user disconnects', async t => {
  const { page, crossSite } = await startConnectedUser(t)
  const url = await linkTo(page, '/logo.svg')
  t.same(await imageSize(page, url), [12, 34])
  t.same(await imageSize(page, `${url}?again`), [12, 34])
  await runWork(page, `grantkeeper.disconnect('process-street')`)
  t.equal(await imageSize(page, `${url}?afterwards`), undefined)
  t.same(
    crossSite.filter(({ cookie }) => cookie !== undefined),
    []
  )
})

t.test('a link downloads a file under its name', async t => {
  const { page, frontend } = await startConnectedUser(t)
  const url = await linkTo(page, '/report.csv?year=2026')
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.evaluate(
      `document.body.append(Object.assign(document.createElement('a'), { href: '${url}', download: '' })); document.links[0].click()`
    )
  ])
  t.equal(download.suggestedFilename(), 'report.csv')
  t.equal(await text(createReadStream(await download.path())), 'a,b\n1,2\n')
  t.equal(page.url(), `${frontend}/`, 'the page stays')
})

t.test('an EventSource follows events by a link', async t => {
  const { page, sendEvent, consoleErrors } = await startConnectedUser(t)
  const url = await linkTo(page, '/events')
  await page.evaluate(`window.events = []; window.source = new EventSource('${url}'); source.onmessage = ({ data }) => events.push(data)`)
  await page.waitForFunction('events.length === 1')
  sendEvent()
  await page.waitForFunction('events.length === 2')
  t.same(await page.evaluate('events'), ['first', 'second'])
  await page.evaluate('source.close()')
  t.same(consoleErrors, [])
})

t.test('SEC-54: a page on an origin that is not allowed cannot read by a link', async t => {
  const { page, context } = await startConnectedUser(t)
  const url = await linkTo(page, '/report.csv?year=2026')
  const read = `fetch('${url}').then(response => response.text(), error => error.name)`
  t.equal(await page.evaluate(read), 'a,b\n1,2\n')
  const other = await context.newPage()
  await other.goto(await startFrontend(t, undefined, 'other.test'))
  t.equal(await other.evaluate(read), 'TypeError')
})

t.test('a preview of the frontend follows events by a link too', async t => {
  const { page, consoleErrors } = await startConnectedUser(t, {
    allowedOrigins: origin => origin.replace('app.', '*.')
  })
  const url = await linkTo(page, '/events')
  await page.evaluate(`window.events = []; window.source = new EventSource('${url}'); source.onmessage = ({ data }) => events.push(data)`)
  await page.waitForFunction('events.length === 1 || source.readyState === EventSource.CLOSED')
  t.same(await page.evaluate('events'), ['first'])
  t.same(await imageSize(page, await linkTo(page, '/logo.svg')), [12, 34])
  t.same(consoleErrors, [])
})
