import type { Api, ApiKeyMethod, OAuth2Method, Provider, ProviderSettings } from '../core/provider/definition.ts'
import { baseUrlOf } from '../core/provider/map-templates.ts'
import { originOf } from '../core/provider/request-rules.ts'
import type { RequestTemplate } from '../core/provider/request-template.ts'
import { positionsIn } from '../core/provider/template.ts'
import { checkTemplates } from '../core/provider/template-rules.ts'
import type { EnvironmentReader } from './environment.ts'
import { type ParsedUrl, readUrl } from './urls.ts'
import { variablePrefix } from './variable-prefix.ts'

const suffixes = {
  apiUrl: 'API_URL',
  authorizeUrl: 'AUTHORIZE_URL',
  tokenUrl: 'TOKEN_URL',
  refreshUrl: 'REFRESH_URL',
  revokeUrl: 'REVOKE_URL'
} as const
type Address = keyof typeof suffixes

type Overrides = { readonly [Name in Address]?: ParsedUrl | undefined } & { readonly issuer?: string | undefined }

/** A definition with the operator's addresses, which may have the definition's own expressions. */
export function overrideUrls(
  env: EnvironmentReader,
  provider: Provider,
  production: boolean
): Pick<ProviderSettings, 'definition' | 'trustedOrigins'> {
  const { oauth2, apiKey } = provider.methods
  const anyRevokeUrl = 'https://provider.example.com/oauth/revoke'
  const examples: { readonly [Name in Address]?: string } = {
    apiUrl: provider.api.baseUrl,
    ...(apiKey?.tokenRequest && { tokenUrl: apiKey.tokenRequest.url }),
    ...(oauth2 && {
      authorizeUrl: oauth2.authorizeUrl,
      tokenUrl: oauth2.tokenUrl,
      refreshUrl: oauth2.refreshUrl ?? oauth2.refreshRequest?.url ?? oauth2.tokenUrl,
      revokeUrl: oauth2.revokeUrl ?? oauth2.revokeRequest?.url ?? anyRevokeUrl
    })
  }
  const prefix = variablePrefix(provider)
  const urls = Object.fromEntries(
    Object.entries(examples).map(([name, example]) => {
      const variable = `${prefix}_${suffixes[name as Address]}`
      const parsed = readUrl(env, variable, { production, kind: name === 'apiUrl' ? 'base' : 'endpoint', example, isTemplate: true })
      const isSound = !parsed?.href.includes('{') || isSoundTemplate(env, provider, name as Address, { variable, parsed, example })
      return [name, isSound ? parsed : undefined]
    })
  ) as Overrides
  const issuer = oauth2 && readIssuer(env, `${prefix}_ISSUER`, oauth2.issuer)
  const definition = override(provider, { ...urls, issuer })
  const lost = Object.keys(provider.api.bases ?? {}).filter(name => !Object.hasOwn(definition.api.bases ?? {}, name))
  if (lost.length > 0)
    env.addWarning(
      `${prefix}_API_URL is another server than that of the definition, and must not share credentials with it: the bases ${lost.join(', ')} of ${provider.title} are not offered.`
    )
  return { definition, trustedOrigins: Object.values(urls).flatMap(parsed => fixedOrigin(parsed) ?? []) }
}

/** An expression in a host could be any host. */
const fixedOrigin = (parsed: ParsedUrl | string | undefined): string | undefined =>
  typeof parsed === 'object' && positionsIn(parsed.href).host.length === 0 ? parsed.url.origin : undefined

type Template = { readonly variable: string; readonly parsed: ParsedUrl; readonly example: string }

function isSoundTemplate(env: EnvironmentReader, provider: Provider, name: Address, { variable, parsed, example }: Template): boolean {
  const problems: string[] = []
  checkTemplates(override(provider, { [name]: parsed }), (_, requirement) => problems.push(requirement))
  for (const problem of problems)
    env.addProblem(`${variable} ${problem.replace(/\.$/, '')}${/\?$/.test(problem) ? '' : ','} for example ${variable}=${example}.`)
  return problems.length === 0
}

/** Exactly as set: the callback's `iss` is compared as a string (RFC 9207 §2.4). */
function readIssuer(env: EnvironmentReader, name: string, example = 'https://provider.example.com'): string | undefined {
  const issuer = env.text(name, example)
  if (issuer === undefined || (/^https?:\/\/[^\s?#]+$/i.test(issuer) && URL.canParse(issuer))) return issuer
  env.addProblem(`${name} must be an absolute http or https URL without query and fragment, for example ${env.exampleOf(name)}.`)
  return undefined
}

/** Another URL is another server. It must not share credentials with the servers of the definition. */
function override(provider: Provider, overrides: Overrides): Provider {
  const { oauth2, apiKey } = provider.methods
  const { apiUrl: base, tokenUrl } = overrides
  const isVendorsApi = !base || originOf(base.href) === originOf(provider.api.baseUrl)
  return {
    ...provider,
    api: base ? apiAt(provider.api, base, isVendorsApi) : provider.api,
    methods: {
      ...(oauth2 && { oauth2: oauth2At(oauth2, overrides) }),
      ...(apiKey && { apiKey: apiKeyAt(apiKey, tokenUrl, isVendorsApi) })
    }
  }
}

function apiAt({ bases, ...api }: Api, { href }: ParsedUrl, isVendorsApi: boolean): Api {
  const kept = Object.entries(bases ?? {}).filter(([, base]) => isVendorsApi || originOf(baseUrlOf(base)) === originOf(href))
  return { ...api, baseUrl: href, ...(kept.length > 0 && { bases: Object.fromEntries(kept) }) }
}

/** Keys of another server's API are not made on the vendor's page. */
function apiKeyAt(
  { keysUrl, tokenRequest, revokeRequest, ...method }: ApiKeyMethod,
  tokenUrl: ParsedUrl | undefined,
  isVendorsApi: boolean
): ApiKeyMethod {
  return {
    ...method,
    ...(keysUrl !== undefined && isVendorsApi && { keysUrl }),
    ...(tokenRequest && { tokenRequest: tokenUrl ? { ...tokenRequest, url: tokenUrl.href } : tokenRequest }),
    ...(revokeRequest && !tokenUrl && { revokeRequest })
  }
}

function oauth2At(method: OAuth2Method, { authorizeUrl, tokenUrl, refreshUrl, revokeUrl, issuer }: Overrides): OAuth2Method {
  const { refreshUrl: definedRefreshUrl, revokeUrl: definedRevokeUrl, issuer: definedIssuer, ...others } = method
  const { revokeRequest, refreshRequest, upgradeRequest, ...rest } = others
  /** A request to the token endpoint goes where that is now; one to another address stays with the definition's token endpoint. */
  const at = (request: RequestTemplate | undefined, url: ParsedUrl | undefined): RequestTemplate | undefined => {
    if (!request || url) return request && url && { ...request, url: url.href }
    if (!tokenUrl) return request
    return request.url === method.tokenUrl ? { ...request, url: tokenUrl.href } : undefined
  }
  const requests = {
    revokeRequest: at(revokeRequest, revokeUrl),
    refreshRequest: at(refreshRequest, refreshUrl),
    upgradeRequest: at(upgradeRequest, undefined)
  }
  return {
    ...rest,
    ...(Object.fromEntries(Object.entries(requests).filter(([, request]) => request !== undefined)) as typeof requests as object),
    ...(!tokenUrl && {
      ...(definedRefreshUrl && { refreshUrl: definedRefreshUrl }),
      ...(definedRevokeUrl && { revokeUrl: definedRevokeUrl })
    }),
    ...(!authorizeUrl && definedIssuer && { issuer: definedIssuer }),
    ...(authorizeUrl && { authorizeUrl: authorizeUrl.href }),
    ...(tokenUrl && { tokenUrl: tokenUrl.href }),
    ...(refreshUrl && !refreshRequest && { refreshUrl: refreshUrl.href }),
    ...(revokeUrl && !revokeRequest && { revokeUrl: revokeUrl.href }),
    ...(issuer !== undefined && { issuer })
  }
}
