import type { Browser, Page } from 'playwright-core'
import type { Test } from 'tap'
import { newUser } from './chromium.ts'
import { freePort } from './free-port.ts'
import { clientPage, examplePage, startFrontend } from './frontend.ts'
import { startGateway, startTestSandbox } from './gateway.ts'

/** A gateway with the sandbox, and a frontend on another origin that uses the client. */
export async function startFrontendAndGateway(t: Test, headers: Record<string, string> = {}) {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const frontend = await startFrontend(t, path => ({ html: path === '/example' ? examplePage(url) : clientPage(url), headers }))
  const sandbox = await startTestSandbox(t, [port])
  const gateway = await startGateway(t, { port, sandbox, environment: { ALLOWED_ORIGINS: frontend } })
  return { gateway, sandbox, frontend, vendor: sandbox.vendor('productboard') }
}

/** The same with a user. */
export async function startWithFrontend(t: Test, browser: Browser, headers: Record<string, string> = {}) {
  return { ...(await startFrontendAndGateway(t, headers)), ...(await newUser(t, browser)) }
}

export async function openPage(page: Page, url: string): Promise<void> {
  await page.goto(url)
  await page.getByText('Ready').waitFor()
}

/** A page of Playwright or of Puppeteer. */
export type Evaluator = { evaluate(source: string): Promise<unknown> }

/** Evaluates a promise in the page without waiting for it: `workResult` does. */
export const startWork = (page: Evaluator, work: string): Promise<unknown> =>
  page.evaluate(
    `window.workResult = (${work}).then(value => ({ value }), error => ({ error: { ...error, isOurs: error instanceof client.GrantkeeperError } })); undefined`
  )

export const workResult = (page: Evaluator) => page.evaluate('workResult') as Promise<{ value?: unknown; error?: { code: string } }>

/** Evaluates a promise in the page. @returns its outcome */
export async function runWork(page: Evaluator, work: string) {
  await startWork(page, work)
  return workResult(page)
}

export const connectInPopup = `grantkeeper.connect('productboard', { popup: true })`

export const fetchNotes = (init = '{}'): string =>
  `grantkeeper.fetch('productboard', '/v2/notes', ${init}).then(async response => [response.status, (await response.json()).data.length])`

export const statusOfProductboard = `grantkeeper.connections().then(list => list.find(c => c.provider === 'productboard').status)`

/** Starts work in the page that opens a popup. */
export async function openPopup(page: Page, work: string): Promise<Page> {
  const [popup] = await Promise.all([page.waitForEvent('popup'), startWork(page, work)])
  return popup
}

/** Starts work that opens a popup for a sign-in at Productboard, and chooses that method there. */
export async function openSignIn(page: Page, work = connectInPopup): Promise<Page> {
  const popup = await openPopup(page, work)
  await chooseSignIn(popup)
  return popup
}

/** On the page of a provider that has several methods. */
export const chooseSignIn = (page: Page): Promise<void> => page.getByRole('link', { name: 'Sign in at Productboard' }).click()

/** Submits the sandbox's consent page. The popup then closes itself. */
export async function submitConsent(popup: Page, name: 'Allow' | 'Deny'): Promise<void> {
  await Promise.all([popup.waitForEvent('close'), popup.getByRole('button', { name }).click()])
}
