import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { GatewayError } from '../core/errors.ts'
import type { LookupFor } from '../core/ports.ts'
import type { ProviderSettings } from '../core/provider/definition.ts'
import { isPublicAddress } from './public-address.ts'

type LookupConfig = {
  production: boolean
  providers: ReadonlyMap<string, Pick<ProviderSettings, 'trustedOrigins'>>
  /** Of the operator's identity provider. */
  issuerOrigins?: readonly string[]
}

/**
 * In production a provider's host name must resolve to public IP addresses only, whatever its DNS says; origins that the operator has
 * configured are exempt. The check is inside the socket's own lookup: a check beside it could see other records (DNS rebinding).
 */
export function createLookup({ production, providers, issuerOrigins = [] }: LookupConfig, resolve: LookupFunction = lookup): LookupFor {
  const trusted = new Set([...[...providers.values()].flatMap(settings => settings.trustedOrigins), ...issuerOrigins])
  const publicOnly: LookupFunction = (hostname, options, callback) =>
    resolve(hostname, options, (error, found, family) => {
      if (error) return callback(error, found, family)
      const addresses = typeof found === 'string' ? [found] : found.map(({ address }) => address)
      // One private address is enough to refuse: the socket may try any of them.
      if (addresses.every(isPublicAddress)) callback(null, found, family)
      else callback(notPublic(), '')
    })

  return url => {
    const { origin, hostname } = new URL(url)
    if (!production || trusted.has(origin)) return resolve
    const host = hostname.replace(/^\[|\]$/g, '')
    if (isIP(host) !== 0 && !isPublicAddress(host)) throw notPublic()
    return publicOnly
  }
}

/** The log has the code. Clients do not learn the address. */
const notPublic = () =>
  new GatewayError(
    'provider_unavailable',
    'The provider’s host name resolves to an IP address that is not public, so nothing was sent. Tell the operator of this gateway.',
    { cause: Object.assign(new Error('not a public address'), { code: 'ERR_ADDRESS_NOT_PUBLIC' }) }
  )
