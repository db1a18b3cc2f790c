import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { connectionRequired, connectionUnknown } from '../../src/core/connections/errors.ts'
import { timestamp } from '../../src/core/connections/view.ts'
import { GatewayError } from '../../src/core/errors.ts'
import { findProvider } from '../../src/core/provider/find-provider.ts'
import { assertHasBase } from '../../src/core/proxy/api-base.ts'
import { maxLinkLifetimeMs, maxTargetCharacters } from '../../src/core/proxy/links.ts'
import { guardTarget } from '../../src/core/proxy/policy.ts'
import { requestedConnection } from '../../src/core/users/requested-connection.ts'
import type { Services } from '../../src/services.ts'

type Body = { provider?: unknown; base?: unknown; path?: unknown; expiresIn?: unknown; account?: unknown } | null | undefined

/** `POST /links`: the URL of one GET, for an image, a download or an EventSource, which can send neither header nor bearer. */
async function links(app: FastifyInstance, { providers, publicUrl, links }: Pick<Services, 'providers' | 'publicUrl' | 'links'>) {
  app.post<{ Body: Body }>('/links', async (request, reply) => {
    const { provider, path, expiresIn, account } = request.body ?? {}
    const { definition } = findProvider(providers, typeof provider === 'string' ? provider : '')
    const base = baseOf(request.body?.base)
    assertHasBase(definition, base)
    const target = targetOf(path)
    guardTarget(definition, 'GET', target)
    const lifetimeMs = lifetimeOf(expiresIn)
    const id = requestedConnection(request.raw.rawHeaders) ?? (typeof account === 'string' ? account : undefined)
    const opened = await request.open({ provider: definition.name, id })
    if (!opened?.connection) throw id === undefined ? connectionRequired(definition.name) : connectionUnknown(definition.name)
    const { owner, connection } = opened
    // Using the link records nothing: it reads no session.
    request.touch(opened, connection)
    const sealed = links.seal({ owner, provider: definition.name, base, connection: connection.value.id, target }, lifetimeMs)
    return reply.code(201).send({ url: `${publicUrl}/links/${sealed.token}`, expiresAt: timestamp(sealed.expiresAtMs) })
  })
}

/** The name of a base of the API, if one is given. */
function baseOf(base: unknown): string | undefined {
  if (base === undefined || typeof base === 'string') return base
  throw new GatewayError('parameters_invalid', "base is the name of one of the API's bases.")
}

/** The path as a link can hold it: it begins with a slash, and has no fragment. */
function targetOf(path: unknown): string {
  if (typeof path !== 'string' || path.length > maxTargetCharacters)
    throw new GatewayError('path_rejected', `path is the path and query below the API, of ${maxTargetCharacters} characters at most.`)
  return path === '' || path.startsWith('/') || path.startsWith('?') ? path : `/${path}`
}

function lifetimeOf(expiresIn: unknown): number {
  if (expiresIn === undefined) return maxLinkLifetimeMs
  if (typeof expiresIn === 'number' && Number.isInteger(expiresIn) && expiresIn >= 1 && expiresIn * 1000 <= maxLinkLifetimeMs)
    return expiresIn * 1000
  throw new GatewayError('parameters_invalid', `expiresIn is a whole number of seconds from 1 to ${maxLinkLifetimeMs / 1000}.`)
}

export default fp(links, { name: 'links', dependencies: ['principal', 'session', 'errors', 'security'], encapsulate: true })
