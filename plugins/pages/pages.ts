import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { type ConnectionView, describeConnections } from '../../src/core/connection-view.ts'
import { icon, script, stylesheet } from './assets.ts'
import { connectionsPage } from './connections-page.ts'
import { made, type Outcome, refused } from './outcome.ts'

type Query = { connected?: unknown; connect_error?: unknown; provider?: unknown }

/** The Connections page and what it is drawn with. */
async function pages(app: FastifyInstance, { publicUrl }: { publicUrl: string }) {
  app.get<{ Querystring: Query }>('/', async (request, reply) => {
    const held = request.ticket && (await app.vault.openAll(request.ticket))
    if (held) request.noteSeen(held.session)
    const views = describeConnections(app.providers, held, publicUrl)
    const cards = views.flatMap(view => {
      const settings = app.providers.get(view.provider)
      return settings ? [{ provider: settings.definition, view }] : []
    })
    return reply.type('text/html; charset=utf-8').send(connectionsPage(cards, outcomeOf(request.query, views)))
  })

  for (const asset of [icon, script, stylesheet]) {
    app.get(asset.url, (_request, reply) =>
      reply.type(asset.type).header('cache-control', 'public, max-age=31536000, immutable').send(asset.body)
    )
  }
}

function outcomeOf({ connected, connect_error: code, provider }: Query, views: readonly ConnectionView[]): Outcome | undefined {
  const isRefusal = typeof code === 'string'
  const view = views.find(v => v.provider === (isRefusal ? provider : connected))
  return view && (isRefusal ? refused(view, code) : made(view))
}

export default fp(pages, { name: 'pages', dependencies: ['providers', 'session', 'vault', 'errors'], encapsulate: true })
