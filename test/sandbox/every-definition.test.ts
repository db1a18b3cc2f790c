import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import type { Provider } from '../../src/core/provider/definition.ts'
import { Browser, type Visit } from '../support/browser.ts'
import { startGatewayAndSandbox } from '../support/gateway.ts'

const definitions = await loadProviders()
const { gateway, sandbox } = await startGatewayAndSandbox(t, { definitions, environment: { TRUST_PROXY: '127.0.0.1' } })

/** A path that the definition forwards. */
const pathOf = ({ api: { paths = [''] } }: Provider): string => `${paths[0]}/sandbox-test`

/** A response in a form comes by a page that a browser would submit by itself. */
async function submitForm(browser: Browser, visit: Visit): Promise<Visit> {
  const action = /<form method="post" action="([^"]+)">/.exec(visit.text)?.[1]
  if (action === undefined) return visit
  const fields = [...visit.text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)].map(([, name = '', value = '']) => [
    name,
    value
  ])
  return browser.visit(action, { method: 'POST', body: new URLSearchParams(Object.fromEntries(fields)) })
}

async function signIn(browser: Browser, name: string): Promise<Visit> {
  const query = new URLSearchParams({ ...sandbox.vendor(name).parameters, return_to: '/' })
  const consent = await browser.visit(`${gateway.url}/auth/${name}?${query}`)
  if (!consent.url.startsWith(sandbox.origin)) return consent
  return submitForm(browser, await browser.submitConsent(consent))
}

const call = async (browser: Browser, target: string) => {
  const response = await browser.fetch(`${gateway.url}/proxy/${target}`)
  return { status: response.status, text: await response.text() }
}

for (const definition of definitions) {
  const { name, api, methods } = definition
  if (methods.oauth2)
    t.test(`${name} is connected by a sign-in, called, refreshed and revoked`, async t => {
      const browser = new Browser()
      const vendor = sandbox.vendor(name)
      const ended = await signIn(browser, name)
      t.equal(ended.url, `${gateway.url}/`, ended.text.slice(0, 2000))
      const bases = ['', ...Object.keys(api.bases ?? {}).map(base => `~${base}`)]
      for (const base of bases) {
        const { status, text } = await call(browser, name + base + pathOf(definition))
        t.equal(status, 200, `${base} ${text}`)
      }
      if (vendor.switches.accessTokenSeconds !== undefined && methods.oauth2?.tokens?.refreshToken !== 'none') {
        vendor.expireAccessTokens()
        const { status, text } = await call(browser, name + pathOf(definition))
        t.equal(status, 200, `after a refresh: ${text}`)
        t.ok(vendor.counts.tokenRequests.refresh_token)
      }
      t.equal(vendor.countGrants(), 1)
      t.equal((await browser.fetch(`${gateway.url}/connections/${name}`, { method: 'DELETE' })).status, 204)
      const { revokeUrl, revokeRequest } = methods.oauth2 ?? {}
      if (revokeUrl !== undefined || revokeRequest) {
        while (vendor.counts.revocations === 0) await setImmediate()
        t.equal(vendor.countGrants(), 0, 'the grant is revoked')
      }
    })
  if (methods.apiKey)
    t.test(`${name} is connected by a key and called`, async t => {
      const browser = new Browser()
      const { fields, parameters } = sandbox.vendor(name)
      const response = await browser.fetch(`${gateway.url}/connections/${name}`, {
        method: 'POST',
        body: JSON.stringify({ fields, parameters }),
        headers: { 'content-type': 'application/json', 'x-forwarded-for': `192.0.2.${definitions.indexOf(definition)}` }
      })
      t.equal(response.status, 201, await response.text())
      const { status, text } = await call(browser, name + pathOf(definition))
      t.equal(status, 200, text)
    })
}
