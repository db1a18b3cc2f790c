import fc from 'fast-check'
import { guardPath } from '../../../src/core/guards/path.ts'
import { applyCredential } from '../../../src/core/proxy/credential.ts'
import { connectionWith, providerWith } from '../../core/support.ts'
import { bytes, harmlessPath, hostilePath, query } from '../arbitraries.ts'
import { must, property } from '../property.ts'
import { readsAsHost, segmentsAt, server } from '../server-models.ts'
import { passThrough } from './pass-through.ts'

const origin = 'https://api.acme.example'
const provider = providerWith({ api: { baseUrl: `${origin}/base` } })
const path = fc.oneof({ weight: 9, arbitrary: hostilePath }, { weight: 1, arbitrary: bytes.map(text => `/${text}`) })

property(
  'SEC-28: a path that passes is unchanged and stays below the base at any server',
  2000,
  fc.record({ path, query, server }),
  ({ path, query, server }) => {
    const guarded = passThrough('path_rejected', () => guardPath(path + query))?.value
    if (guarded === undefined) return false
    const sent = applyCredential(provider, connectionWith(), path + query).path
    must(sent === `/base${path}${query}`, `it was sent as ${sent}`)
    must(guarded === (path + query).split('?', 1)[0], `the guard returned ${guarded}`)

    const url = new URL(sent, origin)
    must(url.origin === origin && /^\/base(?=\/|$)/.test(url.pathname), `a URL parser reads it as ${url.href}`)
    const segments = segmentsAt(`/base${guarded}`, server)
    must(segments?.[0] === 'base', `the server resolves it to ${segments && `/${segments.join('/')}`}`)
    // For an API without a base path, the guarded path is the whole target.
    must(!readsAsHost(guarded, server), 'the server reads another host')
    return true
  }
)

property('SEC-28: a path of harmless segments passes with any query', 300, fc.tuple(harmlessPath, query), ([path, query]) => {
  must(guardPath(path + query) === path, 'it was changed')
  return true
})
