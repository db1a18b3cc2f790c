import fc from 'fast-check'
import { rewriteLocation } from '../../../src/core/proxy/credential.ts'
import { Secret } from '../../../src/core/secret.ts'
import { connectionWith, providerWith } from '../../core/support.ts'
import { hostileAddress, hostilePath } from '../arbitraries.ts'
import { must, property } from '../property.ts'
import { percentDecode } from '../server-models.ts'

const origin = 'https://api.acme.example'
const publicUrl = 'https://connect.example.com'
const secret = 'sEcReT-1'
const provider = providerWith({ api: { baseUrl: `${origin}/base` } })
const connection = connectionWith({ credential: new Secret(secret) })

const ownPiece = fc.constantFrom('/base/', '/base/..', origin, `${origin}/base/`, secret, 'sEc%52eT-1', 'sEc%2552eT-1', '?t=', '%2573')
const location = fc.array(fc.oneof(hostileAddress, hostilePath, ownPiece), { maxLength: 4 }).map(pieces => pieces.join(''))

property('SEC-16: a rewritten Location has no credential, no other scheme and no path outside /proxy', 700, location, location => {
  const rewritten = rewriteLocation(provider, connection, { sent: '/base/a/b?c=d', ownHost: 'connect.example.com' }, location)
  if (rewritten === undefined) return false
  must(
    ![rewritten, percentDecode(rewritten), percentDecode(percentDecode(rewritten))].some(text => text.includes(secret)),
    'it contains the credential'
  )
  const url = new URL(rewritten, publicUrl)
  must(/^https?:$/.test(url.protocol), `it is a ${url.protocol}`)
  if (rewritten.startsWith('/'))
    must(/^\/proxy\/acme(\/|$)/.test(url.pathname) && url.origin === publicUrl, `the browser goes to ${url.href}`)
  else must(url.href === rewritten, 'it is not in normal form')
  return true
})
