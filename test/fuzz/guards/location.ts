import fc from 'fast-check'
import { rewriteLocation } from '../../../src/core/proxy/credential.ts'
import { Secret } from '../../../src/core/secret.ts'
import { connectionWith, providerWith } from '../../core/support.ts'
import { hostileAddress, hostilePath } from '../arbitraries.ts'
import { must, property } from '../property.ts'
import { percentDecoded } from '../server-models.ts'

const origin = 'https://api.acme.example'
const publicUrl = 'https://connect.example.com'
const secret = 'sEcReT-1'
const provider = providerWith({ api: { baseUrl: `${origin}/base` } })
const connection = connectionWith({ credential: new Secret(secret) })

const ownPiece = fc.constantFrom('/base/', '/base/..', origin, `${origin}/base/`, secret, 'sEc%52eT-1', 'sEc%2552eT-1', '?t=', '%2573')
const location = fc.array(fc.oneof(hostileAddress, hostilePath, ownPiece), { maxLength: 4 }).map(pieces => pieces.join(''))

property(
  'SEC-16: a Location of the provider is no foreign scheme, no credential and no path of ours outside /proxy',
  700,
  location,
  location => {
    const shown = rewriteLocation(provider, connection, { sent: '/base/a/b?c=d', ownHost: 'connect.example.com' }, location)
    if (shown === undefined) return false
    must(
      ![shown, percentDecoded(shown), percentDecoded(percentDecoded(shown))].some(text => text.includes(secret)),
      'it holds the credential'
    )
    const url = new URL(shown, publicUrl)
    must(/^https?:$/.test(url.protocol), `it is a ${url.protocol}`)
    if (shown.startsWith('/'))
      must(/^\/proxy\/acme(\/|$)/.test(url.pathname) && url.origin === publicUrl, `the browser goes to ${url.href}`)
    else must(url.href === shown, 'it could be read in another way')
    return true
  }
)
