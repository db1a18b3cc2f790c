// Takes the pictures of the pages in `docs/images`: a start with the sandbox in a folder of its own, and a user in Chromium.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { cardOf, chooseFromMenu, connect, connectByKey, fetchJson, keyDialog, waitForStatus } from '../test/support/chromium.ts'
import { chromiumPath } from '../test/support/programs.ts'

const root = join(import.meta.dirname, '..')
const url = 'http://localhost:3000'
const picture = (name: string) => join(root, 'docs', 'images', `${name}.png`)

const isReady = () =>
  fetch(`${url}/health/ready`).then(
    ({ ok }) => ok,
    () => false
  )

/** A gateway with the sandbox. @returns what ends it */
async function startGateway(): Promise<() => Promise<void>> {
  if (await isReady()) throw new Error(`Another gateway is at ${url}. End it first: the pictures show this address.`)
  const folder = await mkdtemp(join(tmpdir(), 'grantkeeper-pictures-'))
  const { PATH = '', HOME = '' } = process.env
  const gateway = spawn(process.execPath, [join(root, 'src', 'cli', 'main.ts'), 'start'], {
    cwd: folder,
    env: { PATH, HOME, DATA_DIR: folder, SHUTDOWN_DELAY: '0' },
    stdio: 'inherit'
  })
  const ended = once(gateway, 'exit')
  const stop = async () => {
    gateway.kill()
    await ended
    await rm(folder, { recursive: true })
  }
  while (!(await isReady())) {
    if (gateway.exitCode !== null) {
      await stop()
      throw new Error('The gateway has not started, and has said why.')
    }
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  return stop
}

async function newPage(browser: Browser, width: number, height: number): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width, height },
    reducedMotion: 'reduce',
    locale: 'en-US',
    timezoneId: 'UTC',
    colorScheme: 'light'
  })
  return context.newPage()
}

/** A user with five connections, each made in another way, and an invitation. @returns the invitation's link */
async function connectAll(page: Page): Promise<string> {
  await page.goto(url)
  await connect(page, 'Productboard')
  await connect(page, 'Jira and Confluence')
  await connectByKey(page, 'Process Street', 'sandbox_process_street_key')
  await page.getByRole('link', { name: 'Connect Shopify' }).click()
  await page.locator('.sign-in-form').getByLabel('Shop', { exact: true }).fill('fernhill-tea')
  await page.getByRole('button', { name: 'Sign in at Shopify' }).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  await waitForStatus(page, 'Shopify', 'Connected')
  await page.getByRole('link', { name: 'Connect Google' }).click()
  await page.getByRole('checkbox', { name: 'see and change the files in Drive' }).uncheck()
  await page.getByRole('button', { name: 'Allow' }).click()
  await waitForStatus(page, 'Google', 'Connected')
  for (const path of ['productboard/v2/notes', 'process-street/workflows', 'shopify/2026-01/shop.json'])
    await fetchJson(page, `/proxy/${path}`)

  await chooseFromMenu(page, 'Ask somebody else to connect Salesforce')
  await page.getByLabel('Your name, as they will see it').fill('Ada Lovelace')
  await page.getByRole('button', { name: 'Make the link' }).click()
  const link = page.getByLabel(/^The link for whoever is to connect/)
  await link.waitFor()
  return link.inputValue()
}

const stop = await startGateway()
const browser = await chromium.launch({
  executablePath: chromiumPath() ?? 'chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu']
})
try {
  const page = await newPage(browser, 1200, 1268)
  const invitation = await connectAll(page)
  await page.goto(url)
  await cardOf(page, 'Shopify').getByText('fernhill-tea.myshopify.com').waitFor()
  await page.screenshot({ path: picture('connections') })
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.screenshot({ path: picture('connections-dark') })

  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize({ width: 1200, height: 980 })
  await page.getByRole('searchbox').fill('support')
  await chooseFromMenu(page, 'Use a key instead for Zendesk')
  const dialog = keyDialog(page, 'Zendesk')
  await dialog.getByLabel('Subdomain').fill('fernhill')
  await dialog.getByLabel('E-mail address').fill('ada@example.com')
  await dialog.getByLabel('API token', { exact: true }).fill('sandbox_zendesk_key')
  await page.screenshot({ path: picture('key-dialog') })

  const guest = await newPage(browser, 1000, 900)
  await guest.goto(invitation)
  await guest.getByRole('button', { name: 'Decline' }).waitFor()
  await guest.screenshot({ path: picture('invitation'), fullPage: true })
} finally {
  await browser.close()
  await stop()
}
