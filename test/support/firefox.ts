import puppeteer, { type Browser, type Locator, type Page } from 'puppeteer-core'
import type { Test } from 'tap'
import { firefoxPath } from './programs.ts'

/** Timeout of one user action, long enough for a busy machine. */
const actionTimeoutMs = 60_000

const preferences = {
  // The user prefers dark pages without motion. WebDriver BiDi cannot emulate these in the Extended Support Release.
  'layout.css.prefers-color-scheme.content-override': 0,
  'ui.prefersReducedMotion': 1,
  // Puppeteer switches the popup blocker off, which every user has.
  'dom.disable_open_during_load': true
}

/**
 * A stock Firefox, whose user prefers dark pages without motion. The test's teardown closes it.
 *
 * Puppeteer drives it over WebDriver BiDi. Playwright supports its own build of Firefox alone; it cannot open a page in the Extended Support
 * Release, which lacks a command that it sends (`emulation.setMediaFeaturesOverride`).
 */
export async function startFirefox(t: Test): Promise<Browser> {
  const executablePath = firefoxPath()
  if (executablePath === undefined) {
    throw new Error('This test needs Firefox on the PATH. On Debian or Ubuntu: sudo apt-get install firefox-esr')
  }
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath,
    extraPrefsFirefox: preferences,
    defaultViewport: { width: 1280, height: 640 },
    timeout: actionTimeoutMs,
    protocolTimeout: actionTimeoutMs,
    // As root, Firefox refuses to start with a home directory of another user, which containers have on GitHub's runners.
    env: { ...process.env, HOME: t.testdir() }
  })
  t.teardown(() => browser.close())
  return browser
}

export type FirefoxUser = {
  readonly page: Page
  /** Of this page and its popups so far: uncaught errors, console errors and violations of the content security policy. */
  readonly consoleErrors: readonly string[]
}

/** A user with separate cookies and storage. */
export async function newFirefoxUser(t: Test, browser: Browser): Promise<FirefoxUser> {
  const context = await browser.createBrowserContext()
  t.teardown(() => context.close())
  const consoleErrors: string[] = []
  const watch = (page: Page) => {
    page.setDefaultTimeout(actionTimeoutMs)
    // Firefox reports violations of the policy here too.
    page.on('pageerror', error => consoleErrors.push(String(error)))
    page.on('console', message => {
      if (message.type() === 'error') consoleErrors.push(message.text())
    })
    page.on('popup', popup => popup && watch(popup))
  }
  const page = await context.newPage()
  watch(page)
  return { page, consoleErrors }
}

export const button = (page: Page, name: string): Locator<Element> => page.locator(`::-p-aria([name="${name}"][role="button"])`)

export const link = (page: Page, name: string): Locator<Element> => page.locator(`::-p-aria([name="${name}"][role="link"])`)

/** Waits until the page shows a text and its scripts have run. */
export async function see(page: Page, text: string): Promise<void> {
  await page.locator(`body ::-p-text(${text})`).setVisibility('visible').wait()
  await page.waitForFunction("document.readyState === 'complete'")
}

/** Runs what opens a popup. @returns the popup */
export async function popupOf(page: Page, open: () => Promise<unknown>): Promise<Page> {
  const opened = new Promise<Page>((resolve, reject) =>
    page.once('popup', popup => (popup ? resolve(popup) : reject(new Error('The popup closed at once'))))
  )
  await open()
  return opened
}

/** The name of the element that has the focus. */
export const focusedName = (page: Page): Promise<unknown> =>
  page.evaluate('document.activeElement.ariaLabel ?? document.activeElement.textContent')
