import type { OAuth2Method, OAuthClient, Provider } from '../../../src/core/provider/definition.ts'
import type { OAuthProvider } from '../../../src/oauth2/oauth-provider.ts'
import type { Services } from '../../../src/services.ts'

/** What sign-in takes from the services. */
type SignInOptions = Pick<
  Services,
  | 'providers'
  | 'site'
  | 'pageContexts'
  | 'publicUrl'
  | 'publicOrigin'
  | 'basePath'
  | 'allowedOrigins'
  | 'clock'
  | 'vault'
  | 'oauthProviders'
  | 'completeSignIn'
>

export type BearerSignInOptions = SignInOptions & Pick<Services, 'connectCodes' | 'userSignIns' | 'connectWithKey'>

/** The options of the routes of one provider. */
export type ProviderRouteOptions = SignInOptions & {
  readonly definition: Provider
  readonly method: OAuth2Method
  readonly client: OAuthClient
  readonly oauthProvider: OAuthProvider
}
