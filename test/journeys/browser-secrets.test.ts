import type { BrowserContext, Response } from 'playwright-core'
import t from 'tap'
import { connect, newPerson, startChromium } from '../support/chromium.ts'
import { startGatewayAndSandbox, type TestGateway } from '../support/gateway.ts'

const browser = await startChromium(t)

/** Everything that comes into the browser, as text. */
function record(context: BrowserContext) {
  const reading: Promise<string>[] = []
  context.on('response', response => reading.push(read(response)))
  /** Waits for the answers so far: their bodies are gone once the page has moved on. */
  return () => Promise.all(reading)
}

async function read(response: Response): Promise<string> {
  const { url, method, ...rest } = { url: response.url(), method: response.request().method(), status: response.status() }
  const hasBody = rest.status !== 204 && (rest.status < 300 || rest.status >= 400)
  const body = hasBody ? await response.text() : ''
  const [answer, request] = [await response.headersArray(), await response.request().headersArray()]
  return JSON.stringify({ url, method, ...rest, answer, request }) + body
}

/** The tokens of every sign-in and renewal from now on, listened for between the gateway and its token client. */
function listenForTokens({ app }: TestGateway, provider: string): string[] {
  const tokens: string[] = []
  const real = app.tokenEndpoints.get(provider)
  if (!real) throw new Error(`${provider} has no token endpoint`)
  const noted = async (granted: ReturnType<typeof real.exchange>) => {
    const { accessToken, refreshToken } = await granted
    tokens.push(accessToken.reveal(), refreshToken?.reveal() ?? '')
    return granted
  }
  app.tokenEndpoints.set(provider, {
    ...real,
    exchange: (...of) => noted(real.exchange(...of)),
    refresh: (...of) => noted(real.refresh(...of))
  })
  return tokens
}

const spellings = (token: string) => [token, ...(['base64', 'base64url', 'hex'] as const).map(e => Buffer.from(token).toString(e))]

t.test('no token ever comes into the browser: not in a page, an answer, a header, a cookie or its storage', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t)
  const vendor = sandbox.vendor('productboard')
  const tokens = listenForTokens(gateway, 'productboard')
  const { page, context } = await newPerson(t, browser)
  const received = record(context)
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
  t.ok(sent.length >= 3 && sent.every(token => token && tokens.includes(token)), 'these are the tokens that the service sees')
  t.equal(new Set(tokens).size, 4, 'two access tokens and two refresh tokens')
  const held = [...seen, ...(await received())].join('\n')
  t.match(held, /"set-cookie"/i, 'headers that only the browser sees are in it')
  t.match(held, /textNote/, 'answers are in it')
  for (const token of tokens) for (const spelling of spellings(token)) t.notOk(held.includes(spelling), `${spelling.slice(0, 4)}…`)
})
