import type { ApiKeyMethod, Provider } from './definition.ts'
import { mapRequestTemplates, mapTemplates } from './map-templates.ts'
import type { LearntValue, LearntValues } from './parameter.ts'
import { adoptPositions } from './placed-values.ts'
import { originOf } from './request-rules.ts'

/**
 * A definition whose addresses are all at the sandbox: `https://{shop}.example.com/admin` is `SANDBOX/NAME/{shop}.example.com/admin`, so that the
 * sandbox sees what stands for an expression in a host, too.
 * @param sandboxUrl without a trailing slash
 * @param keptOrigins whose URLs stay: those of other servers that stand in for the vendor
 */
export function playedDefinition(definition: Provider, sandboxUrl: string, keptOrigins: readonly string[] = []): Provider {
  const bases = new Set<string>()
  const same = (template: string) => template
  const url = (template: string) => {
    if (template.startsWith(`${sandboxUrl}/`) || keptOrigins.includes(originOf(template))) return template
    const [, base] = /^\{(\w+)\}/.exec(template) ?? []
    if (base !== undefined) bases.add(base)
    return `${sandboxUrl}/${definition.name}/${template.replace(/^https?:\/\//, '')}`
  }
  const changes = { url, path: same, header: same, text: same }
  const moved = mapRequestTemplates(mapTemplates(definition, changes), changes)
  const { oauth2, apiKey } = moved.methods
  const played: Provider = {
    ...moved,
    methods: {
      ...(oauth2 && { oauth2: { ...oauth2, ...hostsOf(oauth2.values, bases) } }),
      ...(apiKey && { apiKey: { ...withoutKeysUrl(apiKey), ...hostsOf(apiKey.values, bases) } })
    }
  }
  // What a user may give stays what it is at the vendor, where the value is a part of a host.
  adoptPositions(played, definition)
  return played
}

/** The vendor's keys are of no use in the sandbox. */
const withoutKeysUrl = ({ keysUrl: _, ...method }: ApiKeyMethod): ApiKeyMethod => method

/** Of a value that is a whole base URL only the host becomes a part of the path. */
function hostsOf(values: LearntValues | undefined, bases: ReadonlySet<string>): { readonly values?: LearntValues } {
  if (!values) return {}
  return {
    values: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, bases.has(name) ? hostOf(value) : value]))
  }
}

const hostOf = ({ oneOf, ...value }: LearntValue): LearntValue => ({
  ...value,
  pattern: hostPattern(value.pattern),
  ...(oneOf && { oneOf: oneOf.map(url => url.replace(/^https:\/\//, '')) })
})

/** A pattern with a group already takes a part of the value, which is not known here. */
function hostPattern(pattern: string | undefined): string {
  const isWhole = pattern !== undefined && !/\((?!\?)/.test(pattern.replace(/\\./g, ''))
  return `${isWhole ? `(?=(?:${pattern})$)` : ''}https:\\/\\/([^\\/]+)\\/*`
}
