import { readFileSync } from 'node:fs'
import { STATUS_CODES } from 'node:http'
import t from 'tap'
import { errorCodes, GatewayError, hasCode, isErrorCode } from '../../src/core/errors.ts'

t.test('every code has an HTTP error status and a unique title for people', async t => {
  const titles = new Set<string>()
  for (const code of errorCodes) {
    const { status, title } = new GatewayError(code, 'detail')
    t.ok(status >= 400 && STATUS_CODES[status] !== undefined, `${code} is ${status}`)
    t.match(title, /^[A-Z].{8,}[^.]$/, code)
    titles.add(title)
  }
  t.equal(titles.size, errorCodes.length)
})

t.test('the README lists every code under its status', async t => {
  const [, section = ''] = readFileSync('README.md', 'utf8').split('\n## Errors\n')
  const rows = [...section.matchAll(/^\| (\d{3}) \| (.*) \|$/gm)]
  const listed = rows.flatMap(([, status, cell = '']) => [...cell.matchAll(/`([a-z_]+)`/g)].map(([, code]) => `${status} ${code}`))
  t.strictSame(new Set(listed), new Set(errorCodes.map(code => `${new GatewayError(code, 'detail').status} ${code}`)))
})

t.test('a code is recognized by its exact name', async t => {
  t.ok(errorCodes.every(isErrorCode))
  for (const text of ['', 'PATH_REJECTED', 'path_rejected ', 'constructor', '__proto__']) t.notOk(isErrorCode(text), text)
})

t.test('an error carries the details of its response', async t => {
  const cause = new Error('below')
  const error = new GatewayError('provider_timeout', 'It took too long.', {
    cause,
    provider: 'acme',
    retryAfter: 3,
    allow: ['GET'],
    status: 431
  })
  t.strictSame(
    [error.name, error.code, error.message, error.cause, error.provider, error.retryAfter, error.allow, error.status],
    ['GatewayError', 'provider_timeout', 'It took too long.', cause, 'acme', 3, ['GET'], 431]
  )
})

t.test('hasCode matches errors of the gateway by their code', async t => {
  t.ok(hasCode(new GatewayError('path_rejected', 'no'), 'path_rejected'))
  t.notOk(hasCode(new GatewayError('path_rejected', 'no'), 'header_rejected'))
  t.notOk(hasCode(Object.assign(new Error('no'), { code: 'path_rejected' }), 'path_rejected'), 'another class with the same code')
  t.notOk(hasCode(undefined, 'path_rejected'))
})
