import type { IncomingMessage, ServerResponse } from 'node:http'
import { OIDCProviderError } from 'oidc-provider/lib/helpers/errors.js'
import type { Provider } from 'oidc-provider/lib/provider.js'
import { consentPage, errorPage, pageHeaders } from './consent-page.ts'
import { readBody } from './http.ts'
import type { Vendor } from './vendor.ts'

const defaultEmail = 'ada@example.com'

/** Shows the consent page (GET) and processes the user's choice (POST). */
export function createConsentHandler(provider: Provider, vendor: Vendor): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const sendPage = (res: ServerResponse, status: number, html: string) => {
    res.writeHead(status, pageHeaders)
    res.end(html)
  }

  function showPage(res: ServerResponse, scopes: string) {
    const access = scopes.split(' ').map(scope => vendor.oauth.scopes[scope] ?? 'See and change everything in the account')
    sendPage(res, 200, consentPage({ vendor: vendor.title, account: vendor.account, access, email: defaultEmail }))
  }

  async function handleChoice(req: IncomingMessage, res: ServerResponse, clientId: string | undefined, scopes: string) {
    const body = await readBody(req)
    const form = new URLSearchParams(body?.text)
    if (form.get('choice') !== 'allow') {
      const result = { error: 'access_denied', error_description: 'The user denied the access' }
      return await provider.interactionFinished(req, res, result)
    }
    const accountId = form.get('email') || defaultEmail
    const grant = new provider.Grant({ accountId, clientId })
    grant.addOIDCScope(scopes)
    await provider.interactionFinished(req, res, { login: { accountId }, consent: { grantId: await grant.save() } })
  }

  return async (req, res) => {
    try {
      const { params } = await provider.interactionDetails(req, res)
      const { client_id: clientId, scope: scopes = '' } = params
      if (req.method === 'POST') await handleChoice(req, res, clientId, scopes)
      else showPage(res, scopes)
    } catch (error) {
      // The page is from an old tab, or was opened without its cookie.
      if (!(error instanceof OIDCProviderError && error.expose)) throw error
      sendPage(res, error.statusCode, errorPage(vendor.title, 'This request for access has ended.'))
    }
  }
}
