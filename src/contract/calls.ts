import { createHash } from 'node:crypto'
import { isPathWithin } from '../core/guards/path.ts'
import type { Provider } from '../core/provider/definition.ts'
import type { Placement } from '../core/provider/request-template.ts'
import { expectSame, expectThat } from './problem.ts'
import type { Call, Echo, User } from './user.ts'

type Method = 'oauth2' | 'apiKey'

const segments = '/contract/call'

/** A path for each placement of a credential, below the paths that the definition forwards. */
function pathsFor({ api, methods }: Provider, method: Method, base?: string): readonly string[] {
  const own = base === undefined ? undefined : api.bases?.[base]
  const declared = (typeof own === 'object' ? own.placements : undefined) ?? methods[method]?.placements ?? []
  const isForwarded = (path: string) => api.paths?.some(start => isPathWithin(path, start)) ?? true
  const inPaths = declared.flatMap(placement => (placement.in === 'path' ? placement.after : [])).filter(isForwarded)
  const isPathAlone = declared.length > 0 && declared.every(({ in: place }: Placement) => place === 'path')
  return [...inPaths, ...(isPathAlone ? [] : [api.paths?.[0] ?? ''])].map(start => start + segments)
}

/** A method that the definition forwards. */
const methodOf = ({ api }: Provider): string => api.methods?.find(one => one === 'GET') ?? api.methods?.[0] ?? 'GET'

/** A path for calls of which nothing but the outcome matters. */
export const anyCall = (definition: Provider, method: Method): Call => ({
  path: pathsFor(definition, method).at(-1) ?? segments,
  method: methodOf(definition)
})

/** Calls the API with each placement, and checks what has arrived there. */
export async function checkCalls(user: User, definition: Provider, method: Method, base?: string): Promise<Echo> {
  const { name, api } = definition
  const segment = base === undefined ? name : `${name}~${base}`
  // What the definition sets, a client cannot.
  const headers = Object.fromEntries(
    Object.keys(api.headers ?? {})
      .filter(field => field !== 'authorization')
      .map(field => [field, 'of the client'])
  )
  let last: Echo | undefined
  for (const path of pathsFor(definition, method, base)) {
    const target = `${path}?contract=%c3%a9`
    last = await user.call({ path: target, segment, method: methodOf(definition), headers })
    expectSame(last.path, path, 'the path at the API')
    expectSame(last.base, base, 'the base at the API')
    expectSame(last.query.contract, 'é', 'the query at the API')
    expectThat(last.url.includes(`${segments}?contract=%c3%a9`), `the path and query at the API are other bytes: ${last.url}`)
    if (api.methods && !api.methods.includes('POST')) continue
    const body = JSON.stringify({ text: `${path} é` })
    const posted = await user.call({ path, segment, method: 'POST', body, headers: { ...headers, 'content-type': 'application/json' } })
    expectSame(posted.method, 'POST', 'the method at the API')
    expectSame(posted.bodySha256, createHash('sha256').update(body).digest('hex'), 'the hash of the body at the API')
  }
  expectThat(last, 'there is no path to call')
  return last
}

/** Calls different paths, at most so many, until a call is refused with `reconnect_required`. */
export async function callUntilEnded(user: User, definition: Provider, method: Method, maxCalls: number): Promise<void> {
  const { path, ...call } = anyCall(definition, method)
  let last = ''
  for (let attempt = 0; attempt < maxCalls; attempt++) {
    const { status, code, text } = await user.request({ ...call, path: `${path}/${attempt}` })
    if (code === 'reconnect_required') {
      expectSame(status, 401, 'the status of reconnect_required')
      return
    }
    last = `${status}: ${text}`
  }
  expectThat(false, `the connection did not end; the last call returned ${last}`)
}
