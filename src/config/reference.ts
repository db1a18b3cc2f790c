// What each variable means, for docs/reference/configuration.md. Its names and defaults are tested against the code that reads them.

type VariableReference = {
  /** Markdown, whose links are those of a page in docs/reference. */
  readonly meaning: string
  /** What is in force without the variable. */
  readonly fallback: string
  /** Where the definitions that the page is made from have none. */
  readonly example?: string
}

type Group = { readonly title: string; readonly variables: Readonly<Record<string, VariableReference>> }

const bearerTokens = '[Bearer tokens](../users.md#bearer-tokens)'
const signIn = '[Sign-in of users](../users.md#sign-in-of-users)'

/** `P` stands for a provider's name: `PROCESS_STREET` for `process-street`. */
export const variableGroups: readonly Group[] = [
  {
    title: 'Addresses',
    variables: {
      NODE_ENV: {
        meaning: '`production`, `development` or `test`; anything else is refused. It cannot be read from a file',
        fallback: '`development`'
      },
      ALLOW_PUBLIC_DEVELOPMENT: {
        meaning:
          '`1` allows development mode, with its sandbox and without TLS, on a `HOST` or `PUBLIC_URL` that others can reach. Without effect in production',
        fallback: 'refused'
      },
      HOST: { meaning: 'The IP address on which it listens', fallback: '`127.0.0.1`' },
      PORT: { meaning: 'The port on which it listens; `0` picks a free one', fallback: '`3000`' },
      PUBLIC_URL: {
        meaning:
          'The base of every callback and link: the URL that browsers use. Its path, as in `https://app.example.com/integrations`, is the prefix of every route: [your own origin](../same-origin.md)',
        fallback: '`http://localhost:PORT`'
      },
      SANDBOX_URL: {
        meaning: 'The [sandbox](../command.md#the-sandbox-alone) that plays every provider in place of the vendors, for tests',
        fallback: 'the vendors; outside production, without a configured provider, a sandbox in the same process'
      },
      ALLOWED_ORIGINS: {
        meaning: 'Exact origins of frontends, comma-separated; `https://*.preview.example.com` (one label) for requests with a bearer only',
        fallback: 'that of `PUBLIC_URL`'
      },
      TRUST_PROXY: {
        meaning:
          'IP addresses and CIDR ranges of the load balancers, comma-separated: their `X-Forwarded-For` says [who the client is](../operating.md#behind-nginx)',
        fallback: 'none'
      }
    }
  },
  {
    title: 'Store and keys',
    variables: {
      REDIS_URL: {
        meaning:
          '[Redis](../operating.md#redis), where records are stored: `redis://`, `rediss://`, `redis+cluster://h:p,h:p`, `redis+sentinel://h:p,h:p/MASTER`',
        fallback: 'embedded SQLite in `DATA_DIR`'
      },
      DATA_DIR: {
        meaning: 'The folder of the embedded store and, outside production, of the generated keys',
        fallback: '`.grantkeeper`'
      },
      SESSION_KEYS: {
        meaning: 'Seal the cookies: base64 keys of 32 bytes, comma-separated, newest first. All open, the first seals',
        fallback: 'generated; in production required'
      },
      TOKEN_KEYS: {
        meaning: 'Seal the tokens in the store, likewise. Without them every stored token is lost',
        fallback: 'generated; in production required'
      }
    }
  },
  {
    title: 'Users',
    variables: {
      JWT_ISSUER: { meaning: `${bearerTokens}: their \`iss\`, compared character by character`, fallback: 'no bearer tokens' },
      JWT_AUDIENCE: {
        meaning: `${bearerTokens}: their \`aud\`, one of several, comma-separated`,
        fallback: 'required with `JWT_ISSUER` or `JWT_SECRETS`'
      },
      JWT_JWKS_URL: { meaning: `${bearerTokens}: where the issuer’s keys are`, fallback: 'found by the issuer’s metadata' },
      JWT_USER_CLAIM: { meaning: `${bearerTokens}: the claim with the user’s id`, fallback: '`sub`' },
      JWT_SECRETS: {
        meaning: `${bearerTokens} that your server signs (HS256): base64 keys of 32 bytes or more, comma-separated, newest first`,
        fallback: 'none'
      },
      SERVICE_KEYS: {
        meaning:
          '[Backends](../users.md#service-keys) that act for users: `NAME:SHA-256 in hex`, comma-separated; `NAME:HASH:token` may be handed access tokens',
        fallback: 'none'
      },
      LOGIN_ISSUER: { meaning: `${signIn} at your OpenID provider: its issuer`, fallback: 'browsers are anonymous' },
      LOGIN_CLIENT_ID: { meaning: `${signIn}: the gateway’s client there`, fallback: 'required with `LOGIN_ISSUER`' },
      LOGIN_CLIENT_SECRET: { meaning: `${signIn}: its secret`, fallback: 'a public client' },
      LOGIN_SCOPES: { meaning: `${signIn}: scopes to ask for, separated by spaces`, fallback: '`openid profile email`' },
      LOGIN_ACR_VALUES: {
        meaning: `${signIn}: how strongly users must have signed in there (\`acr\`), one of several, separated by spaces`,
        fallback: 'not asked'
      },
      LOGIN_MAX_AGE: { meaning: `${signIn}: how many seconds ago at most users have signed in there`, fallback: 'not asked' }
    }
  },
  {
    title: 'Lifetimes and limits',
    variables: {
      SESSION_IDLE: {
        meaning: 'Seconds without use after which a browser’s session ends',
        fallback: '`1209600` (14 days); with `LOGIN_ISSUER` `43200` (12 hours)'
      },
      SESSION_MAX: {
        meaning: 'Seconds after which a browser’s session ends in any case',
        fallback: '`7776000` (90 days); with `LOGIN_ISSUER` `604800` (7 days)'
      },
      CONNECTION_IDLE: {
        meaning: 'Seconds without use after which a user’s connection is deleted and revoked',
        fallback: '`15552000` (180 days)'
      },
      STORE_GRACE: {
        meaning: 'Seconds for which sessions in use continue while Redis is unreachable; `0` turns this off',
        fallback: '`30`'
      },
      SIGN_INS_PER_MINUTE: { meaning: 'Sign-ins that one IP address may start per minute', fallback: '`300`' }
    }
  },
  {
    title: 'Providers',
    variables: {
      PROVIDERS: {
        meaning: 'Names of the providers to offer, comma-separated; one with API keys needs no OAuth client',
        fallback: 'all with an OAuth client, and those with API keys whose `P_API_URL` is set'
      },
      PROVIDERS_FROM: {
        meaning:
          '[Definitions of your own](../adding-a-provider.md): folders, files (`.json`, `.ts`, `.js`, `.mjs`) and packages, comma-separated. One replaces ours of the same name',
        fallback: 'none'
      },
      P_CLIENT_ID: { meaning: 'The OAuth client at the provider', fallback: 'no sign-in at P' },
      P_CLIENT_SECRET: { meaning: 'Its secret; a client without one is a public client (RFC 6749 §2.1)', fallback: 'none' },
      P_SCOPES: { meaning: 'Scopes to ask for, separated by spaces', fallback: 'those of the definition' },
      P_API_URL: {
        meaning: 'The base URL of the API. Like each of these URLs it may, in production too, be of your own network',
        fallback: 'that of the definition'
      },
      P_AUTHORIZE_URL: { meaning: 'Where the user consents', fallback: 'that of the definition' },
      P_TOKEN_URL: { meaning: 'The token endpoint', fallback: 'that of the definition' },
      P_REFRESH_URL: { meaning: 'The token endpoint for renewals', fallback: 'that of the definition, unless `P_TOKEN_URL` is set' },
      P_REVOKE_URL: {
        meaning: 'The revocation endpoint (RFC 7009)',
        fallback: 'that of the definition, unless `P_TOKEN_URL` is set'
      },
      P_ISSUER: {
        meaning: 'The issuer that a callback’s `iss` must equal (RFC 9207)',
        fallback: 'that of the definition, unless `P_AUTHORIZE_URL` is set'
      },
      P_PARAMETER_NAME: {
        meaning: 'Fixes the [parameter](../adding-a-provider.md#parameters) `name` of the definition for everybody',
        fallback: 'users are asked, or the provider is not offered where only an operator can set it',
        example: 'SHOPIFY_PARAMETER_SHOP=acme'
      },
      P_HOSTS: {
        meaning:
          'Hosts that users may name, comma-separated, where a parameter of the definition is a host. They may, in production too, be in your own network',
        fallback: 'any public one, with API keys alone: an OAuth client needs the list',
        example: 'GITLAB_HOSTS=one.example.com,two.example.com'
      }
    }
  },
  {
    title: 'Pages',
    variables: {
      APP_NAME: { meaning: '[Your product’s](../brand-and-languages.md#brand) name on every page', fallback: 'Grantkeeper' },
      APP_LOGO_URL: {
        meaning: 'The URL of its logo, which is one image',
        fallback: 'Grantkeeper’s; with `APP_NAME` the initials of the name'
      },
      APP_COLOR: { meaning: 'Its colour: six or three hexadecimal digits, with or without `#`', fallback: 'Grantkeeper’s' }
    }
  },
  {
    title: 'The process',
    variables: {
      WORKERS: { meaning: 'Processes that serve the port; more than one needs Redis', fallback: '`1`' },
      SHUTDOWN_DELAY: { meaning: 'Seconds after SIGTERM in which it is not ready and still serves new requests', fallback: '`1`' },
      SHUTDOWN_TIMEOUT: { meaning: 'Seconds after that in which requests in flight may end', fallback: '`10`' },
      KEEP_ALIVE_TIMEOUT: { meaning: 'Seconds for which an idle connection of a client or load balancer stays open', fallback: '`72`' },
      LOG_LEVEL: {
        meaning: 'The least [level of a log line](../operating.md#logs): `fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`',
        fallback: '`info`'
      }
    }
  }
]
