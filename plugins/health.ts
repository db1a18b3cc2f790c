import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** From now on balancers are told to send nobody here any more, and clients to come by another connection. */
    leave(): void
    isLeaving(): boolean
    /**
     * Ends the connections on which nothing has been under way for so long, since that was begun: who calls steadily has been told in
     * the meantime that theirs will close (RFC 9112 §9.6), and sends nothing on it that would be lost.
     * @returns how many are left
     */
    endIdleConnections(idleMs: number): number
  }
}

const calls = Symbol('calls under way')
const idleFrom = Symbol('when the last one ended')
type Connection = Socket & { [calls]: number; [idleFrom]: number }

/** For balancers: `live` says that the process runs, `ready` that it can do its work now and will go on. */
async function health(app: FastifyInstance) {
  const open = new Set<Connection>()
  let leaving = false
  app.decorate('leave', () => {
    leaving = true
    for (const connection of open) connection[idleFrom] = performance.now()
  })
  app.decorate('isLeaving', () => leaving)
  app.decorate('endIdleConnections', (idleMs: number) => {
    for (const connection of open)
      if (connection[calls] <= 0 && performance.now() - connection[idleFrom] >= idleMs) connection.destroySoon()
    return open.size
  })

  app.server.on('connection', (socket: Socket) => {
    const connection = Object.assign(socket, { [calls]: 0, [idleFrom]: leaving ? performance.now() : 0 })
    open.add(connection)
    socket.on('close', () => open.delete(connection))
  })
  app.addHook('onRequest', ({ raw: { socket } }, _reply, done) => {
    ;(socket as Connection)[calls]++
    done()
  })
  app.addHook('onResponse', ({ raw: { socket } }, _reply, done) => {
    ;(socket as Connection)[calls]--
    if (leaving) (socket as Connection)[idleFrom] = performance.now()
    done()
  })
  app.addHook('onSend', async (_request, reply) => {
    if (leaving) reply.header('connection', 'close')
  })

  app.get('/health/live', async () => ({ status: 'live' }))

  app.get('/health/ready', async (_request, reply) => {
    if (leaving) return reply.code(503).send({ status: 'leaving' })
    await app.store.ping()
    return { status: 'ready' }
  })
}

export default fp(health, { name: 'health', dependencies: ['vault', 'errors'] })
