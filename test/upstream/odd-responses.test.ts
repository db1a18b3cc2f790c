import t from 'tap'
import { streamedBody } from '../support/streamed.ts'
import { ok, startRawProvider } from './raw-provider.ts'

const go = 'HTTP/1.1 100 Continue\r\n\r\n'

t.test('unexpected interim responses are skipped, however they are split into packets', async t => {
  const early = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'
  for (const bytes of [
    go + ok,
    go + go + ok,
    `HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n${ok}`,
    `HTTP/1.1 102 Processing\r\n\r\n${go}${early}${ok}`
  ]) {
    for (const size of [bytes.length, 1, 25]) {
      const { call } = await startRawProvider(t, async ({ socket }) => {
        for (let at = 0; at < bytes.length; at += size) {
          await new Promise(resolve => socket.write(bytes.slice(at, at + size), resolve))
          await new Promise(setImmediate)
        }
      })
      for (const method of ['GET', 'POST'] as const) {
        const body = method === 'POST' ? [Buffer.from('x')] : undefined
        t.match(await call({ method, body }), { status: 200, body: 'ok' }, `${method}, ${JSON.stringify(bytes)} in pieces of ${size}`)
      }
    }
  }
})

t.test('an interim response restarts the timeout, and a silence after it is a timeout', async t => {
  const isSilent = { after: 3 }
  const { call } = await startRawProvider(t, ({ socket }) => {
    let said = 0
    const saying = setInterval(() => {
      if (said++ < isSilent.after) socket.write('HTTP/1.1 102 Processing\r\n\r\n')
      else {
        clearInterval(saying)
        if (isSilent.after < 10) socket.write(ok)
      }
    }, 600)
    socket.on('close', () => clearInterval(saying))
  })
  t.match(await call({ timeoutMs: 1200 }), { status: 200 })
  isSilent.after = 10
  await t.rejects(call({ timeoutMs: 300 }), { code: 'provider_timeout' })
})

t.test('response headers up to 64 KiB pass, and larger ones are provider_unavailable', async t => {
  let bytes = 0
  const { call } = await startRawProvider(t, ({ socket }) => {
    const lines = Array.from({ length: Math.ceil(bytes / 1000) }, (_, i) => `X-${i}: ${'a'.repeat(990)}`)
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${lines.join('\r\n')}\r\n\r\nok`)
  })
  for (bytes of [15_000, 20_000, 60_000]) t.equal(Object.keys((await call()).headers).length, bytes / 1000 + 1)
  bytes = 80_000
  await t.rejects(call(), { code: 'provider_unavailable' })
})

t.test('a response sent before a reset arrives, however much of the request was unread', async t => {
  async function* upload() {
    for (let i = 0; i < 400; i++) {
      yield Buffer.alloc(16 * 1024)
      await new Promise(setImmediate)
    }
  }
  for (const response of [
    'HTTP/1.1 413 Payload Too Large\r\nConnection: close\r\nContent-Length: 9\r\n\r\ntoo large',
    'HTTP/1.1 413 Payload Too Large\r\nContent-Length: 9\r\n\r\ntoo large',
    'HTTP/1.1 413 Payload Too Large\r\n\r\ntoo large'
  ]) {
    const { call } = await startRawProvider(t, ({ socket }) => {
      socket.pause()
      // A close with unread bytes sends a reset (RFC 9112 §9.6).
      socket.write(response, () => setImmediate(() => socket.destroy()))
    })
    for (let i = 0; i < 10; i++) {
      t.match(await call({ method: 'POST', body: streamedBody(upload()), bodyLength: 400 * 16 * 1024 }), { status: 413, body: 'too large' })
      t.match(await call({ method: 'POST', body: streamedBody(upload()) }), { status: 413, body: 'too large' })
      t.match(await call({ method: 'POST', body: Array.from({ length: 4 }, () => Buffer.alloc(16 * 1024)) }), { status: 413 })
    }
  }
})

t.test('an unexpected transfer coding is an error and not passed on as the body', async t => {
  for (const coding of ['gzip, chunked', 'gzip,chunked', 'deflate, chunked', 'gzip', 'x-gzip, Chunked']) {
    const { call } = await startRawProvider(t, ({ socket }) => {
      socket.end(`HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}\r\n\r\n2\r\nok\r\n0\r\n\r\n`)
    })
    await t.rejects(call(), { code: 'provider_unavailable', cause: { code: 'ERR_TRANSFER_CODING' } }, coding)
  }
  for (const coding of ['chunked', 'Chunked', ' chunked ']) {
    const { call } = await startRawProvider(t, ({ socket }) => {
      socket.end(`HTTP/1.1 200 OK\r\nTransfer-Encoding:${coding}\r\n\r\n2\r\nok\r\n0\r\n\r\n`)
    })
    t.match(await call(), { status: 200, body: 'ok' }, coding)
  }
})

t.test('raw UTF-8 in a Location is percent-encoded', async t => {
  const { call } = await startRawProvider(t, ({ socket }) => {
    socket.write(Buffer.from('HTTP/1.1 302 Found\r\nLocation: /café/%C3%A9?q=日本\r\nContent-Location: /ü\r\nContent-Length: 0\r\n\r\n'))
  })
  t.match((await call()).headers, { location: '/caf%C3%A9/%C3%A9?q=%E6%97%A5%E6%9C%AC', 'content-location': '/%C3%BC' })
})

t.test('a malformed response has a cause with a code for the log', async t => {
  for (const bytes of [
    'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\nX: y\r\n\r\nok',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\n\r\nok',
    'nonsense\r\n\r\n'
  ]) {
    const { call } = await startRawProvider(t, ({ socket }) => void socket.end(bytes))
    const error = await call().then(
      response => t.fail(JSON.stringify([bytes, response])),
      error => error
    )
    t.match(error, { code: 'provider_unavailable', cause: { name: /./, code: /^(HPE|UND_ERR)_/ } }, JSON.stringify(bytes))
  }
})
