import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { parseTokenResponseBody } from '../../../src/core/oauth/token-response-body.ts'

const response = { access_token: 'token', token_type: 'Bearer', expires_in: 3600 }
const text = JSON.stringify(response)
const utf16 = (littleEndian: boolean) => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
  return littleEndian ? bytes : bytes.swap16()
}

t.test('SEC-10: JSON is parsed in every common encoding and compression', async t => {
  for (const [name, body] of Object.entries({
    plain: Buffer.from(text),
    'with whitespace around it': Buffer.from(`\r\n ${text}\n`),
    'after an anti-hijacking prefix': Buffer.from(`)]}',\n${text}`),
    'after a warning': Buffer.from(`<br />\n<b>Warning</b>: no time zone\n${text}\n`),
    'with a byte order mark': Buffer.from(`\ufeff${text}`),
    'in UTF-16, little-endian': utf16(true),
    'in UTF-16, big-endian': utf16(false),
    gzip: gzipSync(text),
    'truncated gzip': gzipSync(text).subarray(0, -8),
    'gzip of a text with a byte order mark': gzipSync(`\ufeff${text}`),
    deflate: deflateSync(text),
    'deflate without a header': deflateRawSync(text),
    brotli: brotliCompressSync(text)
  }))
    t.strictSame(parseTokenResponseBody(body), response, name)
  const parsed = parseTokenResponseBody(Buffer.from('{"__proto__": 1, "access_token": "token"}')) as object
  t.ok(Object.hasOwn(parsed, 'access_token'), '__proto__ is an ordinary name')
})

t.test('SEC-10: a form is parsed', async t => {
  t.strictSame(parseTokenResponseBody(Buffer.from('access_token=gho_16C7&scope=repo%2Cgist&token_type=bearer')), {
    access_token: 'gho_16C7',
    scope: 'repo,gist',
    token_type: 'bearer'
  })
  t.strictSame(parseTokenResponseBody(Buffer.from('error=bad_refresh_token&error_description=The+refresh+token+is+incorrect.\n')), {
    error: 'bad_refresh_token',
    error_description: 'The refresh token is incorrect.'
  })
})

t.test('SEC-10: a bare error code is parsed', async t => {
  for (const body of ['invalid_grant', ' invalid_grant\r\n', '"invalid_grant"', 'INVALID_GRANT'])
    t.match(parseTokenResponseBody(Buffer.from(body)), { error: /^invalid_grant$/i }, body)
})

t.test('SEC-14: a body that only mentions invalid_grant is not parsed', async t => {
  for (const body of [
    '',
    ' ',
    'the grant is an invalid_grant',
    'error: invalid_grant',
    '<html><a href="/?x=1&error=invalid_grant&y=1">invalid_grant</a></html>',
    'x=1&y=<a>&error=invalid_grant',
    'state=1&code=2',
    '{"error": "invalid_grant"',
    '<script>say({"error":"invalid_grant"})</script>',
    'null',
    '\0\u0001\u0002'
  ])
    t.equal(parseTokenResponseBody(Buffer.from(body)), undefined, JSON.stringify(body))
})

t.test('a decompression bomb is not parsed', async t => {
  t.equal(parseTokenResponseBody(gzipSync(`{"access_token":"${'x'.repeat(4_000_000)}"}`)), undefined)
})
