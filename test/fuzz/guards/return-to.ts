import fc from 'fast-check'
import { appendParams, guardReturnTo } from '../../../src/core/guards/return-to.ts'
import { hostileAddress } from '../arbitraries.ts'
import { must, property } from '../property.ts'
import { percentDecode } from '../server-models.ts'
import { passThrough } from './pass-through.ts'

const publicUrl = 'https://connect.example.com'
const allowed = new Set([publicUrl, 'https://app.example.com', 'http://localhost:5173'])
const guarded = (address: string): string => guardReturnTo(address, publicUrl, allowed)

/** The origin that lenient browsers and proxies read in a path after some decodings. */
function lenientOrigin(address: string, decodings: number): string {
  let [path = ''] = address.split(/[?#]/, 1)
  for (let i = 0; i < decodings; i++) path = percentDecode(path)
  return new URL(path.replace(/[^ -~\x80-\uffff]/g, '').replaceAll('\\', '/'), publicUrl).origin
}

property(
  'SEC-26: a return URL that passes leads to an allowed origin for any reader',
  2000,
  fc.tuple(hostileAddress, fc.nat(4)),
  ([address, decodings]) => {
    const safe = passThrough('return_to_rejected', () => guarded(address))?.value
    if (safe === undefined) return false
    must(/^[!-~]+$/.test(safe) && safe.length <= 2000, 'it does not fit into a header')
    must(guarded(safe) === safe, 'its normal form is not stable')
    for (const sent of [safe, appendParams(safe, { connect_error: 'x', provider: 'y' })])
      must(allowed.has(new URL(sent, publicUrl).origin), `a browser goes to ${sent}`)
    if (!safe.startsWith('/')) return true
    must(new URL(safe, publicUrl).origin === publicUrl, 'it leaves this host')
    must(lenientOrigin(safe, decodings) === publicUrl, `decoded ${decodings} times it leads to ${lenientOrigin(safe, decodings)}`)
    return true
  }
)
