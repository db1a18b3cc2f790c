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
  '--disable-quic'
]

/** How long a person's step may take before the test fails, in milliseconds: it never comes, however busy the machine is. */
const stepMs = 60_000

/** A real browser, closed at the end of the test. */
export async function startChromium(t: Test): Promise<Browser> {
  const executablePath = chromiumPath()
  if (executablePath === undefined) {
    throw new Error(
      'This test needs Chromium, and there is none on the PATH. On Debian or Ubuntu: sudo apt-get install chromium-headless-shell'
    )
  }
  const browser = await chromium.launch({ executablePath, args, timeout: stepMs })
  t.teardown(() => browser.close())
  return browser
}

export type Person = {
  readonly context: BrowserContext
  readonly page: Page
  /** What the browser complained of so far: uncaught errors, console errors, and what a content security policy stopped. */
  readonly faults: readonly string[]
}

/** A person with a browser of their own: cookies and storage are nobody else's. */
export async function newPerson(t: Test, browser: Browser, options: BrowserContextOptions = {}): Promise<Person> {
  const context = await browser.newContext(options)
  t.teardown(() => context.close())
  context.setDefaultTimeout(stepMs)
  const faults: string[] = []
  context.on('weberror', error => faults.push(String(error.error())))
  context.on('console', message => {
    if (message.type() === 'error') faults.push(message.text())
  })
  await context.addInitScript(
    "addEventListener('securitypolicyviolation', e => console.error('policy', e.effectiveDirective, e.blockedURI, e.sourceFile))"
  )
  return { context, page: await context.newPage(), faults }
}

export const cardOf = (page: Page, title: string): Locator =>
  page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: title }) })
/** Waits until the card says it. On a page that is new, its script then has moved the focus and changed the address, as it does. */
export async function statusOf(page: Page, title: string, status: string): Promise<void> {
  await cardOf(page, title).getByText(status, { exact: true }).waitFor()
  await page.waitForLoadState()
}

/** From the Connections page through the sandbox's consent and back. */
export async function connect(page: Page, title: string): Promise<void> {
  await page.getByRole('link', { name: `Connect ${title}` }).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  await statusOf(page, title, 'Connected')
}

/** The dialog that a key is pasted into. */
export const keyDialogOf = (page: Page, title: string): Locator => page.getByRole('dialog', { name: `Connect ${title} with a key` })

/** Into the open dialog, or on the page of one provider. */
export async function pasteKey(page: Page, title: string, key: string): Promise<void> {
  const field = page.getByLabel(`Your ${title} key`)
  await field.fill(key)
  await field.press('Enter')
}

/** From the Connections page, by a key and not by sign-in. */
export async function connectByKey(page: Page, title: string, key: string): Promise<void> {
  await page.getByRole('link', { name: `Use a key instead for ${title}` }).click()
  await pasteKey(page, title, key)
  await statusOf(page, title, 'Connected')
}

/** Presses Tab until what has this name has the focus. */
export async function tabTo(page: Page, name: string): Promise<void> {
  const focused = page.locator(':focus')
  for (let presses = 0; presses < 20; presses++) {
    await page.keyboard.press('Tab')
    if ((await focused.getAttribute('aria-label')) === name || (await focused.textContent())?.trim() === name) return
  }
  throw new Error(`Tab does not lead to ${name}`)
}

/** A frontend's call, out of the page that is open. */
export const callFrom = (page: Page, path: string): Promise<{ status: number; body: unknown }> =>
  page.evaluate(async path => {
    const answer = await fetch(path, { headers: { 'x-csrf': '1' } })
    return { status: answer.status, body: await answer.json() }
  }, path)
