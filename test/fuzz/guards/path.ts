import fc from 'fast-check'
import { guardPath } from '../../../src/core/guards/path.ts'
import { applyCredential } from '../../../src/core/proxy/credential.ts'
import { connectionWith, providerWith } from '../../core/support.ts'
import { bytes, harmlessPath, hostilePath, query } from '../arbitraries.ts'
import { must, property } from '../property.ts'
import { readsAsHost, segmentsAt, server } from '../server-models.ts'
import { passed } from './passed.ts'

const origin = 'https://api.acme.example'
const provider = providerWith({ api: { baseUrl: `${origin}/base` } })
const path = fc.oneof({ weight: 9, arbitrary: hostilePath }, { weight: 1, arbitrary: bytes.map(text => `/${text}`) })

property(
  'SEC-28: a path that passes stays under the base, whatever servers on the way make of it, and is not changed',
  2000,
  fc.record({ path, query, server }),
  ({ path, query, server }) => {
    const guarded = passed('path_rejected', () => guardPath(path + query))?.value
    if (guarded === undefined) return false
    const sent = applyCredential(provider, connectionWith(), path + query).path
    must(sent === `/base${path}${query}`, `it was sent as ${sent}`)
    must(guarded === (path + query).split('?', 1)[0], `its path was taken to be ${guarded}`)

    const url = new URL(sent, origin)
    must(url.origin === origin && /^\/base(?=\/|$)/.test(url.pathname), `a URL parser reads it as ${url.href}`)
    const segments = segmentsAt(`/base${guarded}`, server)
    must(segments?.[0] === 'base', `that server goes to ${segments && `/${segments.join('/')}`}`)
    // Of an API without a base path the target is all of it.
    must(!readsAsHost(guarded, server), 'that server takes it for another host')
    return true
  }
)

property(
  'SEC-28: a path of harmless segments passes, with any query that can be sent',
  300,
  fc.tuple(harmlessPath, query),
  ([path, query]) => {
    must(guardPath(path + query) === path, 'it was changed')
    return true
  }
)
