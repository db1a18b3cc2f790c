import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { GatewayError } from '../core/errors.ts'
import type { LookupFor } from '../core/ports.ts'
import type { ProviderSettings } from '../core/provider/definition.ts'
import { isPublicAddress } from './public-address.ts'

type Trust = { production: boolean; providers: ReadonlyMap<string, Pick<ProviderSettings, 'trustedOrigins'>> }

/**
 * In production a provider's name may lead to public addresses only, wherever its DNS points today; except at origins that the
 * operator has named. It is the socket's own lookup that is judged, so that no second answer comes between (DNS rebinding).
 */
export function createLookup({ production, providers }: Trust, resolve: LookupFunction = lookup): LookupFor {
  const trusted = new Set([...providers.values()].flatMap(settings => settings.trustedOrigins))
  const publicOnly: LookupFunction = (hostname, options, callback) =>
    resolve(hostname, options, (error, found, family) => {
      if (error) return callback(error, found, family)
      const addresses = typeof found === 'string' ? [found] : found.map(({ address }) => address)
      // One inside is enough: a name that leads to both is not the vendor's any more, and the socket may try either.
      if (addresses.every(isPublicAddress)) callback(null, found, family)
      else callback(refused(), '')
    })

  return url => {
    const { origin, hostname } = new URL(url)
    if (!production || trusted.has(origin)) return resolve
    const host = hostname.replace(/^\[|\]$/g, '')
    if (isIP(host) !== 0 && !isPublicAddress(host)) throw refused()
    return publicOnly
  }
}

/** The log shows the code; where the name leads is nothing for clients. */
const refused = () =>
  new GatewayError(
    'provider_unavailable',
    'The provider’s name leads to an address that is not public, so nothing was sent. Tell the operator of this gateway.',
    { cause: Object.assign(new Error('not a public address'), { code: 'ERR_ADDRESS_NOT_PUBLIC' }) }
  )
