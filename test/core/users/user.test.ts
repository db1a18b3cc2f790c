import t from 'tap'
import { userRequired, whyNoUserId } from '../../../src/core/users/user.ts'
import { printable } from '../support.ts'

t.test('a user id is any text of one to 255 characters', async t => {
  for (const id of ['42', 'auth0|5f7c8ec7c33c6c004bbafe82', 'zoë@example.com', ' padded ', 'x'.repeat(255), '😀'])
    t.equal(whyNoUserId(id), undefined, printable(id))
})

t.test('an id that two users could share after encoding is refused', async t => {
  for (const id of ['\ud800', 'a\udfffb']) t.equal(whyNoUserId(id), 'is not well-formed Unicode')
})

t.test('an empty, long or unprintable id is refused', async t => {
  t.equal(whyNoUserId(''), 'is empty')
  t.equal(whyNoUserId('x'.repeat(256)), 'is longer than 255 characters')
  for (const id of ['a\nb', 'a\0', '\u007f', '\u0085', 'a\u2028b']) t.equal(whyNoUserId(id), 'holds a control character', printable(id))
})

t.test('a missing user is 401, and 400 for a service key', async t => {
  t.equal(userRequired('Sign in.').status, 401)
  t.equal(userRequired('Name a user.', 400).status, 400)
})
