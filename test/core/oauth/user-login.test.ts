import t, { type Test } from 'tap'
import { createUserLogin } from '../../../src/core/oauth/user-login.ts'
import { Secret } from '../../../src/core/secret.ts'
import { createCipher } from '../../../src/core/vault/cipher.ts'
import { createOwnerNames } from '../../../src/core/vault/owner-names.ts'
import { limits, newKey, openInstance } from '../support.ts'
import { browserWith, newFlow, signIn, umbrella } from '../vault/support.ts'

const grace = { subject: 'grace', idToken: new Secret('id-token') }

/** A browser that nobody is signed in to, whose session was rotated when a second provider was connected. */
async function rotate(t: Test) {
  const { vault, store, clock } = openInstance(t)
  const cipher = createCipher([newKey()])
  const ownerNames = createOwnerNames({ store, cipher, clock })
  const login = createUserLogin({ store, cipher, vault, ownerNames, limits, issuer: 'https://id.example' })
  const before = await signIn(vault)
  const flow = newFlow()
  const { browser, callbackOf } = browserWith(flow)
  const rotated = await vault.connect(before.owner, before, umbrella, { callback: callbackOf(flow), browser })
  if (rotated.kind !== 'session') throw new Error(rotated.kind)
  return { login, before, rotated: rotated.session, browser }
}

t.test('SEC-57: an older copy of the cookie takes nothing over that it does not show', async t => {
  const { login, before } = await rotate(t)
  t.equal((await login.signIn(grace, before)).takeover, undefined)
})

t.test('SEC-57: the browser that signed in is offered all, also while its new cookie is on the way', async t => {
  const { login, before, rotated, browser } = await rotate(t)
  t.equal((await login.signIn(grace, before, browser)).takeover, before.owner)
  t.equal((await login.signIn(grace, rotated)).takeover, before.owner)
})
