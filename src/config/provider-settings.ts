import type { ApiKeyMethod, OAuth2Method, OAuthClient, Provider, ProviderSettings } from '../core/provider/definition.ts'
import { Secret } from '../core/secret.ts'
import { type EnvironmentReader, exampleOfFile } from './environment.ts'
import { type ParsedUrl, readUrl } from './urls.ts'

/** `process-street` -> `PROCESS_STREET` */
export const variablePrefix = (provider: Provider): string => provider.name.toUpperCase().replaceAll('-', '_')

type Mode = {
  readonly production: boolean
  /** Without a configured provider, the sandbox plays those that it knows. */
  readonly hasSandbox: boolean
}

/**
 * The providers to offer, by name: those that `PROVIDERS` lists; by default those with an OAuth client, and those with API keys whose
 * `API_URL` is set.
 */
export function readProviders(
  env: EnvironmentReader,
  definitions: readonly Provider[],
  { production, hasSandbox }: Mode
): Map<string, ProviderSettings> {
  const all = new Map<string, ProviderSettings>()
  const usable = new Map<string, ProviderSettings>()
  for (const definition of definitions) {
    const settings = readProvider(env, definition, production)
    all.set(definition.name, settings)
    const hasApiUrl = env.text(`${variablePrefix(definition)}_API_URL`) !== undefined
    if (settings.client || (hasApiUrl && definition.methods.apiKey)) usable.set(definition.name, settings)
  }
  const selected = env.list('PROVIDERS', definitions[0]?.name)
  if (!hasSandbox && usable.size === 0 && !selected) {
    const example = definitions[0] ? variablePrefix(definitions[0]) : 'PROVIDER'
    env.addProblem(
      `No provider is configured. Set the OAuth client of at least one, for example ${example}_CLIENT_ID=abc123 and ${exampleOfFile(`${example}_CLIENT_SECRET`)}.`
    )
  }
  return selected ? selectProviders(env, selected, all, usable, hasSandbox) : usable
}

function selectProviders(
  env: EnvironmentReader,
  selected: readonly string[],
  all: ReadonlyMap<string, ProviderSettings>,
  usable: ReadonlyMap<string, ProviderSettings>,
  hasSandbox: boolean
): Map<string, ProviderSettings> {
  const providers = new Map<string, ProviderSettings>()
  for (const name of selected) {
    const settings = all.get(name)
    if (!settings) {
      env.addProblem(
        `PROVIDERS: ${env.quote('PROVIDERS', name)} is not a provider. Known providers are: ${[...all.keys()].join(', ')}; for example ${env.exampleOf('PROVIDERS')}.`
      )
    } else if (usable.size === 0 && hasSandbox) {
      // The sandbox starts, and this selection is read again with its URLs.
    } else if (usable.has(name) || settings.definition.methods.apiKey) {
      providers.set(name, settings)
    } else {
      const prefix = variablePrefix(settings.definition)
      env.addProblem(
        `PROVIDERS lists ${name}, which has no OAuth client. Set one, for example ${prefix}_CLIENT_ID=abc123 and ${exampleOfFile(`${prefix}_CLIENT_SECRET`)}.`
      )
    }
  }
  return providers
}

/** A definition with what the environment sets for it, whether it is offered or not. */
export function readProvider(env: EnvironmentReader, provider: Provider, production: boolean): ProviderSettings {
  const prefix = variablePrefix(provider)
  const url = (suffix: string, kind: 'base' | 'endpoint', example: string) =>
    readUrl(env, `${prefix}_${suffix}`, { production, kind, example })
  const { oauth2, apiKey } = provider.methods
  const client = readClient(env, prefix, oauth2)
  const base = url('API_URL', 'base', provider.api.baseUrl)
  const isVendorsApi = !base || base.url.origin === new URL(provider.api.baseUrl).origin
  const endpoints = oauth2 && {
    authorizeUrl: url('AUTHORIZE_URL', 'endpoint', oauth2.authorizeUrl),
    tokenUrl: url('TOKEN_URL', 'endpoint', oauth2.tokenUrl),
    refreshUrl: url('REFRESH_URL', 'endpoint', oauth2.refreshUrl ?? oauth2.tokenUrl),
    revokeUrl: url('REVOKE_URL', 'endpoint', oauth2.revokeUrl ?? 'https://provider.example.com/oauth/revoke')
  }
  const issuer = oauth2 && readIssuer(env, `${prefix}_ISSUER`, oauth2.issuer)
  const definition: Provider = {
    ...provider,
    api: base ? { ...provider.api, baseUrl: base.href } : provider.api,
    methods: {
      ...(oauth2 && { oauth2: applyOverrides(oauth2, { ...endpoints, issuer }) }),
      ...(apiKey && { apiKey: isVendorsApi ? apiKey : withoutKeysUrl(apiKey) })
    }
  }
  const trustedOrigins = [base, ...Object.values(endpoints ?? {})].flatMap(parsed => parsed?.url.origin ?? [])
  return { definition, ...(client && { client }), trustedOrigins }
}

/** Keys of another server's API are not made on the vendor's page. */
const withoutKeysUrl = ({ keysUrl: _, ...method }: ApiKeyMethod): ApiKeyMethod => method

/** Exactly as set: the callback's `iss` is compared as a string (RFC 9207 §2.4). */
function readIssuer(env: EnvironmentReader, name: string, example = 'https://provider.example.com'): string | undefined {
  const issuer = env.text(name, example)
  if (issuer === undefined || (/^https?:\/\/[^\s?#]+$/i.test(issuer) && URL.canParse(issuer))) return issuer
  env.addProblem(`${name} must be an absolute http or https URL without query and fragment, for example ${env.exampleOf(name)}.`)
  return undefined
}

type Overrides = Partial<Record<'authorizeUrl' | 'tokenUrl' | 'refreshUrl' | 'revokeUrl', ParsedUrl | undefined>> & {
  readonly issuer?: string | undefined
}

function applyOverrides(method: OAuth2Method, { authorizeUrl, tokenUrl, refreshUrl, revokeUrl, issuer }: Overrides): OAuth2Method {
  const { refreshUrl: definedRefreshUrl, revokeUrl: definedRevokeUrl, issuer: definedIssuer, ...rest } = method
  // Another URL is another server. It must not share tokens and client secret with the servers of the definition.
  return {
    ...rest,
    ...(!tokenUrl && {
      ...(definedRefreshUrl && { refreshUrl: definedRefreshUrl }),
      ...(definedRevokeUrl && { revokeUrl: definedRevokeUrl })
    }),
    ...(!authorizeUrl && definedIssuer && { issuer: definedIssuer }),
    ...(authorizeUrl && { authorizeUrl: authorizeUrl.href }),
    ...(tokenUrl && { tokenUrl: tokenUrl.href }),
    ...(refreshUrl && { refreshUrl: refreshUrl.href }),
    ...(revokeUrl && { revokeUrl: revokeUrl.href }),
    ...(issuer !== undefined && { issuer })
  }
}

function readClient(env: EnvironmentReader, prefix: string, method: OAuth2Method | undefined): OAuthClient | undefined {
  const id = env.text(`${prefix}_CLIENT_ID`, 'abc123')
  const secret = env.text(`${prefix}_CLIENT_SECRET`)
  const scopes = env
    .text(`${prefix}_SCOPES`, method?.scopes.join(' ') || undefined)
    ?.split(/[\s,]+/)
    .filter(scope => scope !== '')
  if (id === undefined && secret === undefined) return undefined
  if (!method) {
    env.addProblem(`${prefix}_CLIENT_ID is set, but this provider does not support OAuth. Remove it.`)
    return undefined
  }
  if (id === undefined) {
    env.addProblem(`${prefix}_CLIENT_ID is missing: a secret is of use with its client ID alone, for example ${prefix}_CLIENT_ID=abc123.`)
    return undefined
  }
  if (secret === undefined)
    env.addWarning(
      `${prefix}_CLIENT_ID is set without ${prefix}_CLIENT_SECRET: a public client (RFC 6749 §2.1). If the provider has given you a secret, set it, for example ${exampleOfFile(`${prefix}_CLIENT_SECRET`)}.`
    )
  // RFC 6749 appendix A.1, A.2 and A.4.
  for (const [name, value] of [
    ['CLIENT_ID', id],
    ['CLIENT_SECRET', secret ?? 'none'],
    ['SCOPES', scopes?.join(' ') ?? 'none']
  ] as const) {
    if (!/^[\x20-\x7e]+$/.test(value))
      env.addProblem(
        `${prefix}_${name} contains a character that is not printable ASCII. Copy it again, for example ${env.exampleOf(`${prefix}_${name}`)}.`
      )
  }
  return { id, ...(secret !== undefined && { secret: new Secret(secret) }), scopes: scopes ?? method.scopes }
}
