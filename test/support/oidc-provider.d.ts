// The package has no types. Declares what the sandbox and the OpenID provider of the tests use.

declare module 'oidc-provider/lib/provider.js' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  export type Adapter = {
    upsert(id: string, payload: Record<string, unknown>, expiresInSeconds: number): Promise<void>
    find(id: string): Promise<Record<string, unknown> | undefined>
    /** For sessions. */
    findByUid?(uid: string): Promise<Record<string, unknown> | undefined>
    consume(id: string): Promise<void>
    destroy(id: string): Promise<void>
    revokeByGrantId(grantId: string): Promise<void>
  }

  /** A Koa context. `oidc` is set once one of oidc-provider's routes has matched. */
  export type Context = {
    readonly req: IncomingMessage
    readonly res: ServerResponse
    readonly path: string
    readonly query: Readonly<Record<string, string | undefined>>
    readonly oidc?: { readonly params?: Readonly<Record<string, string | undefined>> }
    readonly response: { get(name: string): string; set(headers: Readonly<Record<string, string>>): void }
    status: number
    type: string
    body: unknown
    respond?: boolean
  }

  type Interaction = { readonly params: Readonly<Record<string, string | undefined>> }

  type InteractionResult =
    | { readonly error: string; readonly error_description: string }
    | {
        readonly login: { readonly accountId: string; readonly acr?: string }
        readonly consent: { readonly grantId: string }
      }

  type Grant = {
    addOIDCScope(scope: string): void
    save(): Promise<string>
  }

  type Client = {
    /** Sends a logout token to the client's `backchannel_logout_uri`. */
    backchannelLogout(sub: string, sid?: string): Promise<void>
  }

  type AccessToken = { readonly grantId: string }

  export class Provider {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>)
    readonly Grant: {
      new (properties: { readonly accountId: string; readonly clientId: string | undefined }): Grant
      find(id: string): Promise<Grant | undefined>
    }
    readonly Client: { find(id: string): Promise<Client | undefined> }
    readonly AccessToken: { find(token: string): Promise<AccessToken | undefined> }
    use(middleware: (ctx: Context, next: () => Promise<void>) => Promise<void>): this
    on(event: 'error', listener: (error: unknown, ctx?: Context) => void): this
    on(event: 'server_error', listener: (ctx: Context, error: unknown) => void): this
    callback(): (req: IncomingMessage, res: ServerResponse) => Promise<void>
    interactionDetails(req: IncomingMessage, res: ServerResponse): Promise<Interaction>
    interactionFinished(req: IncomingMessage, res: ServerResponse, result: InteractionResult): Promise<void>
  }
}

declare module 'oidc-provider/lib/helpers/errors.js' {
  export class OIDCProviderError extends Error {
    readonly statusCode: number
    readonly expose: boolean
  }
  export class InvalidGrant extends OIDCProviderError {
    constructor(detail: string)
  }
  export class InvalidScope extends OIDCProviderError {
    constructor(description: string, scope: string)
  }
}

declare module 'oidc-provider/lib/helpers/interaction_policy/index.js' {
  import type { Context } from 'oidc-provider/lib/provider.js'

  export class Check {
    constructor(reason: string, description: string, check: (ctx: Context) => boolean)
  }
  type Prompt = { readonly checks: { add(check: Check): void } }
  export function base(): { get(name: 'login' | 'consent'): Prompt }
}
