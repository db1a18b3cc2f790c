import t from 'tap'
import { redact, toAccountName } from '../../../src/core/util/display-text.ts'

t.test('an account name is one line of 200 characters, without control or direction marks', async t => {
  for (const [value, name] of [
    ['Fernhill & Söhne 🗝', 'Fernhill & Söhne 🗝'],
    [' Ada \n', 'Ada'],
    ['Ada\u202e gnivE', 'Ada gnivE'],
    ['A\0d\u2028a\u200b', 'Ada'],
    ['<b>Ada</b>', '<b>Ada</b>'],
    ['🗝'.repeat(300), '🗝'.repeat(200)],
    ['', undefined],
    ['\u200e \u200f', undefined],
    [7, undefined],
    [null, undefined]
  ] as const)
    t.equal(toAccountName(value), name, encodeURIComponent(String(value)).slice(0, 60))
})

t.test('a provider’s error text becomes one line of 200 characters', async t => {
  for (const [text, line] of [
    ['The app is not approved', 'The app is not approved'],
    ['AADSTS50011: no match.\r\nTrace ID: 0000-1111\u2028end', 'AADSTS50011: no match. Trace ID: 0000-1111 end'],
    ['a\u202eb\u200bc\0', 'abc'],
    ['🗝'.repeat(300), '🗝'.repeat(200)],
    ['', undefined],
    [' \n ', undefined],
    [7, undefined],
    [{}, undefined],
    [undefined, undefined]
  ] as const)
    t.equal(redact(text), line, JSON.stringify(text)?.slice(0, 40))
})

t.test('the secrets of the request are redacted: whole, truncated, encoded or in pieces', async t => {
  const secrets = ['code-1234567890abcdef', 'secret+/with=signs&more', 'c']
  for (const [text, line] of [
    ['Invalid code: code-1234567890abcdef.', 'Invalid code: ….'],
    ['code-1234567890… is spent', '…… is spent'],
    ['code-1234567890\nabcdef is spent', '… abcdef is spent'],
    ['code=code-1234567890&code="567890abcdef"', 'code=…&code="…"'],
    ['client_secret=secret%2B%2Fwith%3D', 'client_secret=…'],
    ['bad secret secret+/with=signs&more', 'bad secret …'],
    ['client_secret=secret%2B%2Fwith%3Dsigns%26more&grant_type=x', 'client_secret=…&grant_type=x'],
    ['a short c is part of many words', 'a short c is part of many words']
  ] as const)
    t.equal(redact(text, secrets), line)
})
