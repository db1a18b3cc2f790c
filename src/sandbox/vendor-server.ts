import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createVendorApi } from './api.ts'
import type { GrantFile } from './grant-file.ts'
import { createGrantStore } from './grant-store.ts'
import { createVendorOAuth } from './oauth.ts'
import { createVendorState, type VendorState } from './state.ts'
import type { Switches } from './switches.ts'
import type { Vendor } from './vendor.ts'

/** A test's handle on one vendor of a running sandbox. */
export type VendorControl = Omit<VendorState, 'recordRequest'> & {
  /** The `iss` of its authorization responses (RFC 9207). */
  readonly issuer: string
  /** Invalidates all access tokens issued so far; refresh tokens stay valid. */
  expireAccessTokens(): void
  /** Invalidates all access and refresh tokens issued so far, as if the user had revoked the access. */
  revokeGrants(): void
}

export type VendorServer = {
  readonly state: VendorState
  readonly control: VendorControl
  readonly environment: Readonly<Record<string, string>>
  /** @param target the request target after the vendor's name. @returns `undefined` if the vendor has no such path */
  handle(req: IncomingMessage, res: ServerResponse, target: string): Promise<void> | undefined
}

type VendorServerOptions = {
  readonly origin: string
  readonly redirectUris: readonly string[]
  readonly switches: Partial<Switches> | undefined
  readonly grants: GrantFile | undefined
  readonly report: (error: unknown) => void
}

/** Serves a vendor's OAuth endpoints below `/NAME/oauth2`, and its API below `/NAME` and the API's base path. */
export function createVendorServer(vendor: Vendor, { origin, redirectUris, switches, grants, report }: VendorServerOptions): VendorServer {
  const issuer = `${origin}/${vendor.name}/oauth2`
  const apiPath = vendor.api.basePath
  const baseUrl = `${origin}/${vendor.name}${apiPath}`
  const client = { id: `grantkeeper-${vendor.name}`, secret: randomBytes(32).toString('base64url'), redirectUris }
  const state = createVendorState(vendor.name, switches)
  const store = createGrantStore({
    graceMs: () => state.switches.graceSeconds * 1000,
    saved: grants?.read(vendor.name),
    onChange: granted => grants?.save(vendor.name, granted)
  })
  const oauth = createVendorOAuth({ vendor, issuer, client, state, store, report })
  const callApi = createVendorApi({ vendor, baseUrl, state, isValidToken: oauth.isValidToken })
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
      expireAccessTokens: () => store.clear('AccessToken'),
      revokeGrants: () => store.clear('AccessToken', 'AuthorizationCode', 'Grant', 'RefreshToken')
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
