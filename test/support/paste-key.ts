import type { Browser } from './browser.ts'
import type { TestGateway } from './gateway.ts'

/** Connects with an API key, as a frontend does when a user has pasted one. */
export const pasteKey = (
  { url }: Pick<TestGateway, 'url'>,
  browser: Browser,
  provider: string,
  apiKey: unknown,
  { more = {}, headers = {} }: { more?: Record<string, unknown>; headers?: Record<string, string> } = {}
): Promise<Response> =>
  browser.fetch(`${url}/connections/${provider}`, {
    method: 'POST',
    body: JSON.stringify({ apiKey, ...more }),
    headers: { 'content-type': 'application/json', ...headers }
  })
