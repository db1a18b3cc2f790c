import { EventEmitter, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import type { Store } from '../../src/core/ports.ts'
import { openStore } from '../../src/stores/open-store.ts'
import { startConnected } from '../support/connected.ts'
import { waitForClose } from '../support/raw.ts'

t.test('SEC-37, SEC-36: a client that disconnects during the session lookup leaves no request and no slot', async t => {
  const clock = { now: Date.now }
  const dataDir = t.testdir()
  const real = await openStore({ dataDir, clock })
  const lookups = new EventEmitter()
  let disconnected: Promise<unknown> | undefined
  // A store that responds once the gateway has seen its client disconnect, and whose records are never cached.
  const store: Store = {
    ...real,
    changes: { ...real.changes, isReliable: () => false },
    read: async (...of) => {
      lookups.emit('lookup')
      await disconnected
      return real.read(...of)
    }
  }
  const definitions = (await loadProviders()).map(definition => ({
    ...definition,
    api: { ...definition.api, maxConcurrentRequestsPerSession: 3 }
  }))
  const { gateway, provider, browser, proxy } = await startConnected(t, {
    store,
    definitions,
    environment: { STORE_GRACE: '0', DATA_DIR: dataDir }
  })
  let open = 0
  provider.api = ({ url }, r) => {
    if (url !== '/base/events') return void r.end()
    open++
    r.on('close', () => open--)
    r.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
  }
  const cookie = browser.sessionPair(gateway.url)
  for (let i = 0; i < 12; i++) {
    const lookup = once(lookups, 'lookup')
    const accepted = once(gateway.app.server, 'connection') as Promise<[Socket]>
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
    const [method, body] = i % 2 === 0 ? ['GET', ''] : ['POST', 'Content-Length: 10\r\n']
    disconnected = accepted.then(([its]) => waitForClose(its))
    socket.write(
      `${method} /proxy/productboard/events HTTP/1.1\r\nHost: x\r\nX-CSRF: 1\r\nCookie: ${cookie}\r\n${body}\r\n${body && 'half'}`
    )
    await lookup
    socket.destroy()
    await disconnected
  }
  disconnected = undefined
  t.equal((await browser.fetch(`${proxy}/x`)).status, 200, 'a slot is free for the next request')
  t.equal(open, 0)
  t.same(
    provider.seen.api.map(({ url }) => url),
    ['/base/x'],
    'no request was sent for them'
  )
})
