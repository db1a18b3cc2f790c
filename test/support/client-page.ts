import type { Browser, Page } from 'playwright-core'
import type { Test } from 'tap'
import { newPerson } from './chromium.ts'
import { freePort } from './free-port.ts'
import { exampleFor, pageFor, startFrontend } from './frontend.ts'
import { startGateway, startTestSandbox } from './gateway.ts'

/** A gateway with the sandbox, a frontend elsewhere that has the client, and a person. */
export async function elsewhere(t: Test, browser: Browser, headers: Record<string, string> = {}) {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const frontend = await startFrontend(t, path => ({ html: path === '/example' ? exampleFor(url) : pageFor(url), headers }))
  const sandbox = await startTestSandbox(t, [port])
  const gateway = await startGateway(t, { port, sandbox, environment: { ALLOWED_ORIGINS: frontend } })
  const { page, context, faults } = await newPerson(t, browser)
  return { gateway, sandbox, frontend, page, context, faults, vendor: sandbox.vendor('productboard') }
}

export async function openPage(page: Page, address: string): Promise<void> {
  await page.goto(address)
  await page.getByText('Ready').waitFor()
}

/** Begins in the page what ends later. */
export const begin = (page: Page, work: string): Promise<void> =>
  page.evaluate(
    `window.ended = (${work}).then(value => ({ value }), error => ({ error: { ...error, isOurs: error instanceof client.GrantkeeperError } })); undefined`
  )

export const ended = (page: Page) => page.evaluate<{ value?: unknown; error?: { code: string } }>('ended')

export const inPopup = `grantkeeper.connect('productboard', { popup: true })`

export const notes = (init = '{}'): string =>
  `grantkeeper.fetch('productboard', '/v2/notes', ${init}).then(async answer => [answer.status, (await answer.json()).data.length])`

/** The popup that this work in the page opens. */
export async function popupOf(page: Page, work: string): Promise<Page> {
  const [popup] = await Promise.all([page.waitForEvent('popup'), begin(page, work)])
  return popup
}

/** At the sandbox's consent; then the popup closes itself. */
export async function choose(popup: Page, name: 'Allow' | 'Deny'): Promise<void> {
  await Promise.all([popup.waitForEvent('close'), popup.getByRole('button', { name }).click()])
}
