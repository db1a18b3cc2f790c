import t from 'tap'
import { parseRequestedUser } from '../../../src/core/users/requested-user.ts'

/** A text as node:http has it in a header: one character a byte. */
const onTheWire = (text: string): string => Buffer.from(text).toString('latin1')

t.test('the user is named by Grantkeeper-User, in any case of its letters', async t => {
  for (const name of ['Grantkeeper-User', 'grantkeeper-user', 'GRANTKEEPER-USER'])
    t.equal(parseRequestedUser(['Host', 'x', name, 'auth0|42', 'Accept', '*/*']), 'auth0|42')
})

t.test('an id of other than ASCII characters is UTF-8, as in a JWT', async t => {
  for (const id of ['zoë@example.com', '名前', '😀', '\ufeffbom', 'n\u0303', '\u00f1'])
    t.equal(parseRequestedUser(['Grantkeeper-User', onTheWire(id)]), id)
})

t.test('SEC-49: a service key without a user is 400', async t => {
  for (const rawHeaders of [
    [],
    ['Grantkeeper-User', ''],
    ['Grantkeeper_User', 'ada'],
    ['X-Grantkeeper-User', 'ada'],
    ['Grantkeeper-Users', 'a']
  ])
    t.throws(() => parseRequestedUser(rawHeaders), { code: 'user_required', status: 400 }, rawHeaders.join(' '))
})

t.test('SEC-49: a user that is repeated or no user id is 400', async t => {
  for (const [rawHeaders, detail] of [
    [['Grantkeeper-User', 'ada', 'grantkeeper-user', 'ada'], /more than once/],
    [['Grantkeeper-User', '', 'grantkeeper-user', 'ada'], /more than once/],
    [['Grantkeeper-User', 'x'.repeat(1024)], /longer than 255/],
    [['Grantkeeper-User', 'a\tb'], /control character/],
    [['Grantkeeper-User', onTheWire('a\u0085b')], /control character/],
    [['Grantkeeper-User', onTheWire('a\u2028b')], /control character/],
    [['Grantkeeper-User', 'zo\u00eb'], /not valid UTF-8/],
    [['Grantkeeper-User', '\u00c0\u0080'], /not valid UTF-8/],
    [['Grantkeeper-User', '\u00ed\u00a0\u0080'], /not valid UTF-8/]
  ] as const)
    t.throws(() => parseRequestedUser(rawHeaders), { code: 'header_rejected', status: 400, message: detail }, String(detail))
})
