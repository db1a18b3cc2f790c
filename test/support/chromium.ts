import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core'
import type { Test } from 'tap'
import { chromiumPath } from './programs.ts'

const args = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
  // Frontends on a site of their own: RFC 6761 §6.2 keeps these names out of DNS.
  '--host-resolver-rules=MAP *.test 127.0.0.1'
]

/** Timeout of one user action, long enough for a busy machine. */
const actionTimeoutMs = 60_000

/** A real browser. The test's teardown closes it. */
export async function startChromium(t: Test): Promise<Browser> {
  const executablePath = chromiumPath()
  if (executablePath === undefined) {
    throw new Error('This test needs Chromium on the PATH. On Debian or Ubuntu: sudo apt-get install chromium-headless-shell')
  }
  const browser = await chromium.launch({ executablePath, args, timeout: actionTimeoutMs })
  t.teardown(() => browser.close())
  return browser
}

export type BrowserUser = {
  readonly context: BrowserContext
  readonly page: Page
  /** Uncaught errors, console errors and violations of the content security policy so far. */
  readonly consoleErrors: readonly string[]
}

/** A user with separate cookies and storage. */
export async function newUser(t: Test, browser: Browser, options: BrowserContextOptions = {}): Promise<BrowserUser> {
  const context = await browser.newContext(options)
  t.teardown(() => context.close())
  context.setDefaultTimeout(actionTimeoutMs)
  const consoleErrors: string[] = []
  context.on('weberror', error => consoleErrors.push(String(error.error())))
  context.on('console', message => {
    if (message.type() === 'error') consoleErrors.push(message.text())
  })
  await context.addInitScript(
    "addEventListener('securitypolicyviolation', e => console.error('policy', e.effectiveDirective, e.blockedURI, e.sourceFile))"
  )
  return { context, page: await context.newPage(), consoleErrors }
}

/**
 * Has the browser send no cookies with what a page requests from other sites, as Safari and Firefox do. There is no flag for it that the
 * headless shell knows. For the context's open pages once they have loaded anew, and soon after their start for those that it opens later.
 */
export async function blockThirdPartyCookies(context: BrowserContext): Promise<void> {
  const block = async (page: Page) => {
    const devTools = await context.newCDPSession(page)
    await devTools.send('Network.enable')
    await devTools.send('Network.setCookieControls', { enableThirdPartyCookieRestriction: true })
  }
  // A popup may close before it is reached.
  context.on('page', page => void block(page).catch(() => {}))
  await Promise.all(context.pages().map(block))
}

export const cardOf = (page: Page, title: string): Locator =>
  page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: title }) })

/** Waits until the card shows the status and the page's script has run, which moves the focus and changes the URL. */
export async function waitForStatus(page: Page, title: string, status: string): Promise<void> {
  await cardOf(page, title).getByText(status, { exact: true }).waitFor()
  await page.waitForLoadState()
}

/** Signs in from the Connections page, at the sandbox's consent page. */
export async function connect(page: Page, title: string): Promise<void> {
  await page.getByRole('link', { name: `Connect ${title}` }).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  await waitForStatus(page, title, 'Connected')
}

/** Uses what is in the menu of a card, which it opens. @param name such as `Use a key instead for Acme` */
export async function chooseFromMenu(page: Page, name: string): Promise<void> {
  const menu = page.locator('.menu', { has: page.getByLabel(name, { exact: true }) })
  if ((await menu.getAttribute('open')) === null) await menu.locator('summary').click()
  await menu.getByLabel(name, { exact: true }).click()
}

/** Opens the menu of who is signed in on the Connections page. */
export async function openAccountMenu(page: Page, name: string): Promise<void> {
  await page.getByLabel(`Account: ${name}`, { exact: true }).click()
  await page.getByText(`Signed in as ${name}`).waitFor()
}

export const keyDialog = (page: Page, title: string): Locator => page.getByRole('dialog', { name: `Connect ${title} with a key` })

/** Submits a key in the open dialog or on the page of one provider. */
export async function pasteKey(page: Page, title: string, key: string): Promise<void> {
  const field = page.getByLabel(`Your ${title} key`)
  await field.fill(key)
  await field.press('Enter')
}

/** Connects by API key from the Connections page. */
export async function connectByKey(page: Page, title: string, key: string): Promise<void> {
  await chooseFromMenu(page, `Use a key instead for ${title}`)
  await pasteKey(page, title, key)
  await waitForStatus(page, title, 'Connected')
}

/** Presses Tab until the element with this name has the focus. */
export async function tabTo(page: Page, name: string): Promise<void> {
  const focused = page.locator(':focus')
  for (let presses = 0; presses < 20; presses++) {
    await page.keyboard.press('Tab')
    if ((await focused.getAttribute('aria-label')) === name || (await focused.textContent())?.trim() === name) return
  }
  throw new Error(`Tab does not reach ${name}`)
}

/** Sends a request from the open page, as a frontend does. */
export const fetchJson = (page: Page, path: string): Promise<{ status: number; body: unknown }> =>
  page.evaluate(async path => {
    const response = await fetch(path, { headers: { 'x-csrf': '1' } })
    return { status: response.status, body: await response.json() }
  }, path)
