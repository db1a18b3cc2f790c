import { createHash } from 'node:crypto'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { fetchJson, newUser, startChromium, waitForStatus } from '../support/chromium.ts'
import { freePort } from '../support/free-port.ts'
import { newKey, startTestSandbox } from '../support/gateway.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { startNext, startVite } from './dev-servers.ts'
import { startTlsNginx } from './nginx.ts'
import { readText, startInstance } from './support.ts'

/** For what would otherwise never arrive. */
const maxWaitMs = 60_000

const browser = await startChromium(t)

const frontend = `<!doctype html><html lang="en"><title>App</title><h1>The application</h1>
<a href="/integrations/auth/productboard?return_to=/">Connect Productboard</a></html>`

/** A code block of docs/same-origin.md, with the gateway's port. */
function blockOf(firstLine: string, gatewayPort: number): string {
  const [, code] = readText('docs', 'same-origin.md').split(`\`\`\`js\n// ${firstLine}\n`)
  if (code === undefined) throw new Error(`There is no block ${firstLine}`)
  return code.slice(0, code.indexOf('```')).replaceAll(/127\.0\.0\.1:\d+/g, `127.0.0.1:${gatewayPort}`)
}

/** A gateway as `npm start` runs it: it plays the providers itself. */
async function startBehind(t: Test, port: number) {
  const gatewayPort = await freePort()
  await startInstance(t, { PORT: `${gatewayPort}`, PUBLIC_URL: `http://localhost:${port}/integrations`, DATA_DIR: temporaryFolder(t) })
  return gatewayPort
}

t.test("behind nginx, the gateway is a part of the application's origin", async t => {
  const host = 'app.test'
  const gatewayPort = await freePort()
  const { port } = await startTlsNginx(t, 'below-path.conf', { host, gatewayPort, frontend })
  const publicUrl = `https://${host}:${port}/integrations`
  const sandbox = await startTestSandbox(t, [], { redirectUris: vendor => [`${publicUrl}/auth/${vendor}/callback`] })
  await startInstance(t, {
    ...sandbox.environment,
    NODE_ENV: 'production',
    PORT: `${gatewayPort}`,
    PUBLIC_URL: publicUrl,
    TRUST_PROXY: '127.0.0.1',
    SESSION_KEYS: newKey(),
    TOKEN_KEYS: newKey(),
    DATA_DIR: temporaryFolder(t)
  })
  await useGateway(t, `https://${host}:${port}`)
})

t.test("behind Vite's dev server, the gateway is a part of the application's origin", async t => {
  const port = await freePort()
  const gatewayPort = await startBehind(t, port)
  await startVite(t, { port, frontend, config: blockOf('vite.config.js', gatewayPort) })
  await useGateway(t, `http://localhost:${port}`)
})

t.test("behind Next's dev server, the gateway is a part of the application's origin", async t => {
  const port = await freePort()
  const gatewayPort = await startBehind(t, port)
  await startNext(t, { port, config: blockOf('next.config.mjs', gatewayPort) })
  await useGateway(t, `http://localhost:${port}`)
})

/** A user of the application at this origin, in a browser. */
async function useGateway(t: Test, origin: string): Promise<void> {
  const { page, context } = await newUser(t, browser, { ignoreHTTPSErrors: true })

  await t.test("a sign-in begins and ends at the application's page", async t => {
    await page.goto(origin)
    await page.getByRole('link', { name: 'Connect Productboard' }).click()
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.waitForURL(`${origin}/`)
    t.ok(await page.getByRole('heading', { name: 'The application' }).isVisible())
  })

  await t.test('the session cookie is of this host, and out of reach for scripts', async t => {
    const cookies = (await context.cookies(origin)).filter(({ name }) => name.includes('grantkeeper'))
    t.match(cookies, [{ name: /\.integrations$/, domain: new URL(origin).hostname, httpOnly: true }])
    t.equal(await page.evaluate('document.cookie'), '')
  })

  await t.test('a proxied request arrives with its target unchanged', async t => {
    const target = '/echo/a%2Fb/?q=%2F&r=1'
    const { status, body } = await fetchJson(page, `/integrations/proxy/productboard${target}`)
    t.match({ status, body }, { status: 200, body: { url: new RegExp(`${RegExp.escape(target)}$`) } })
  })

  await t.test('an upload of 12 MB arrives unchanged', async t => {
    const size = 12_000_000
    t.match(await upload(page, size), {
      bodyLength: size,
      bodySha256: createHash('sha256').update(Buffer.alloc(size, 'grantkeeper')).digest('hex')
    })
  })

  await t.test('events arrive while the stream is open', async t => {
    t.strictSame(await readEvents(page, 3), ['{"sequence":1}', '{"sequence":2}', '{"sequence":3}'])
  })

  await t.test("the gateway's own page shows the connection", async t => {
    await page.goto(`${origin}/integrations/`)
    await waitForStatus(page, 'Productboard', 'Connected')
    t.equal(page.url(), `${origin}/integrations/`)
  })
}

const upload = (page: Page, size: number): Promise<unknown> =>
  page.evaluate(async size => {
    const body = 'grantkeeper'.repeat(Math.ceil(size / 11)).slice(0, size)
    const response = await fetch('/integrations/proxy/productboard/echo', { method: 'PUT', headers: { 'x-csrf': '1' }, body })
    return response.json()
  }, size)

/** The data of the first events of a stream that stays open. */
const readEvents = (page: Page, count: number): Promise<string[]> =>
  page.evaluate(
    ([count, maxWaitMs]) =>
      new Promise<string[]>((resolve, reject) => {
        const data: string[] = []
        const source = new EventSource('/integrations/proxy/productboard/events')
        source.onerror = () => reject(new Error('The stream failed.'))
        setTimeout(() => reject(new Error('The events are held back.')), maxWaitMs)
        source.addEventListener('note.updated', event => {
          if (data.push((event as MessageEvent).data) < count) return
          source.close()
          resolve(data)
        })
      }),
    [count, maxWaitMs] as const
  )
