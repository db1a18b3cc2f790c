import t from 'tap'
import { newId } from '../../../src/core/session.ts'
import { isUserOwner, userOwner } from '../../../src/core/users/owner.ts'

t.test('SEC-2: the owner of a browser is never that of a user', async t => {
  t.ok(isUserOwner(userOwner('x'.repeat(43))))
  for (let i = 0; i < 1000; i++) if (isUserOwner(newId())) t.fail('a random owner is taken for a user')
  for (const owner of ['', 'u', 'u-', 'owner', 'U.x', 'xu.']) t.notOk(isUserOwner(owner), owner)
})
