import type { Browser } from './browser.ts'
import type { TestGateway } from './gateway.ts'

/** What a frontend sends when a person has pasted a key. */
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
