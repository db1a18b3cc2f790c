import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { vendorApi } from './api.ts'
import type { GrantFile } from './grant-file.ts'
import { grantStore } from './grant-store.ts'
import { vendorOAuth } from './oauth.ts'
import { type VendorState, vendorState } from './state.ts'
import type { Switches } from './switches.ts'
import type { Vendor } from './vendor.ts'

/** One vendor of a running sandbox, as a test holds it. */
export type VendorControl = Omit<VendorState, 'record'> & {
  /** What the `iss` of its authorization answers says (RFC 9207). */
  readonly issuer: string
  /** Every access token so far is answered 401 from now on; refresh tokens stay good. */
  expireAccessTokens(): void
  /** Every access and refresh token so far is refused from now on, as when the person takes the access back. */
  revokeGrants(): void
}

export type VendorServer = {
  readonly state: VendorState
  readonly control: VendorControl
  readonly environment: Readonly<Record<string, string>>
  /** @returns undefined when the address is none of this vendor's. `target` is what follows the vendor's name. */
  handle(req: IncomingMessage, res: ServerResponse, target: string): Promise<void> | undefined
}

type Options = {
  readonly origin: string
  readonly redirectUris: readonly string[]
  readonly switches: Partial<Switches> | undefined
  readonly grants: GrantFile | undefined
  readonly report: (error: unknown) => void
}

/** Joins a vendor's OAuth server and API below `/NAME/oauth2` and `/NAME` with the API's base path. */
export function playVendor(vendor: Vendor, { origin, redirectUris, switches, grants, report }: Options): VendorServer {
  const issuer = `${origin}/${vendor.name}/oauth2`
  const apiPath = vendor.api.basePath
  const baseUrl = `${origin}/${vendor.name}${apiPath}`
  const client = { id: `grantkeeper-${vendor.name}`, secret: randomBytes(32).toString('base64url'), redirectUris }
  const state = vendorState(vendor.name, switches)
  const store = grantStore({
    graceMs: () => state.switches.graceSeconds * 1000,
    granted: grants?.read(vendor.name),
    onChange: granted => grants?.changed(vendor.name, granted)
  })
  const oauth = vendorOAuth({ vendor, issuer, client, state, store, report })
  const callApi = vendorApi({ vendor, baseUrl, state, isGoodToken: oauth.isGoodToken })
  const prefix = vendor.name.toUpperCase().replaceAll('-', '_')

  const areas: [string, (req: IncomingMessage, res: ServerResponse, target: string) => Promise<void>][] = [
    ['/oauth2', oauth.handle],
    [apiPath, callApi]
  ]
  return {
    state,
    control: {
      ...state,
      issuer,
      expireAccessTokens: () => store.forget('AccessToken'),
      revokeGrants: () => store.forget('AccessToken', 'AuthorizationCode', 'Grant', 'RefreshToken')
    },
    environment: {
      [`${prefix}_CLIENT_ID`]: client.id,
      [`${prefix}_CLIENT_SECRET`]: client.secret,
      [`${prefix}_AUTHORIZE_URL`]: `${issuer}/authorize`,
      [`${prefix}_TOKEN_URL`]: `${issuer}/token`,
      ...(vendor.oauth.revocation && { [`${prefix}_REVOKE_URL`]: `${issuer}/revoke` }),
      [`${prefix}_API_URL`]: baseUrl
    },
    handle(req, res, target) {
      const area = areas.find(([path]) => target === path || target.startsWith(`${path}/`) || target.startsWith(`${path}?`))
      return area?.[1](req, res, target.slice(area[0].length))
    }
  }
}
