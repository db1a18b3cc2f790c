import type { Page } from 'playwright-core'
import t from 'tap'
import type { Grant } from '../../src/core/connections/connection.ts'
import { connect, newUser, startChromium } from '../support/chromium.ts'
import { type GatewayOptions, startGatewayAndSandbox } from '../support/gateway.ts'

const browser = await startChromium(t)

/** Records everything that the page receives. Reads each response before the page does: the browser drops it when the page navigates. */
async function record(page: Page) {
  const devTools = await page.context().newCDPSession(page)
  const reading: Promise<void>[] = []
  const received: string[] = []
  devTools.on('Fetch.requestPaused', ({ requestId, request, responseStatusCode = 0, responseHeaders, responseErrorReason }) => {
    const read = async () => {
      const isRedirect = responseStatusCode >= 300 && responseStatusCode < 400
      const body = isRedirect || responseErrorReason ? undefined : await devTools.send('Fetch.getResponseBody', { requestId })
      const text = Buffer.from(body?.body ?? '', body?.base64Encoded ? 'base64' : 'utf8').toString()
      received.push(JSON.stringify({ request, responseStatusCode, responseHeaders }), text)
      await devTools.send('Fetch.continueResponse', { requestId })
    }
    // Navigation aborts the requests of the previous page.
    reading.push(read().catch(() => void received.push(`aborted: ${request.url}`)))
  })
  // Includes `Set-Cookie`, which `Fetch` events lack.
  devTools.on('Network.responseReceivedExtraInfo', ({ headers }) => received.push(JSON.stringify(headers)))
  await devTools.send('Network.enable')
  await devTools.send('Fetch.enable', { patterns: [{ requestStage: 'Response' }] })
  return async () => {
    await Promise.all(reading)
    return received
  }
}

/** Collects the tokens of every sign-in and renewal, between the gateway and its token endpoint. */
function collectTokens(tokens: string[]): NonNullable<GatewayOptions['tokenEndpointFor']> {
  const collected = async (granted: Promise<Grant>) => {
    const { accessToken, refreshToken } = await granted
    tokens.push(accessToken.reveal(), refreshToken?.reveal() ?? '')
    return granted
  }
  return (_provider, own) => ({
    ...own,
    exchange: (...given) => collected(own.exchange(...given)),
    refresh: (...given) => collected(own.refresh(...given))
  })
}

const spellings = (token: string) => [token, ...(['base64', 'base64url', 'hex'] as const).map(e => Buffer.from(token).toString(e))]

t.test('no token reaches the browser: no page, response, header, cookie or storage contains one', async t => {
  const tokens: string[] = []
  const { gateway, sandbox } = await startGatewayAndSandbox(t, { tokenEndpointFor: collectTokens(tokens) })
  const vendor = sandbox.vendor('productboard')
  const { page, context } = await newUser(t, browser)
  const received = await record(page)
  const seen: string[] = []
  const look = async () => {
    seen.push(await page.content(), JSON.stringify(await context.storageState({ indexedDB: true })))
    seen.push(await page.evaluate('JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie, history.state, name])'))
    await received()
  }

  await page.goto(gateway.url)
  await look()
  await page.getByRole('link', { name: 'Connect Productboard' }).click()
  await page.getByRole('button', { name: 'Allow' }).waitFor()
  await look()
  await page.goBack()
  await connect(page, 'Productboard')
  await look()
  const call = (path: string) => page.evaluate(async at => void (await (await fetch(at, { headers: { 'x-csrf': '1' } })).text()), path)
  await call('/proxy/productboard/v2/notes')
  vendor.expireAccessTokens()
  await call('/proxy/productboard/v2/notes')
  await call('/connections')
  await page.reload()
  await look()

  const sent = vendor.requests.map(({ headers }) => headers.authorization?.replace('Bearer ', ''))
  t.ok(sent.length >= 3 && sent.every(token => token && tokens.includes(token)), 'the provider sees these tokens')
  t.equal(new Set(tokens).size, 4, 'two access tokens and two refresh tokens')
  const everything = [...seen, ...(await received())].join('\n')
  t.match(everything, /"set-cookie"/i, 'the record includes cookies')
  t.match(everything, /textNote/, 'the record includes response bodies')
  for (const token of tokens) for (const spelling of spellings(token)) t.notOk(everything.includes(spelling), `${spelling.slice(0, 4)}…`)
})
