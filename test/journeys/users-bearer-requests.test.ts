import t from 'tap'
import { newFrontendUser, signInAtFrontend, startBearerFrontend } from '../support/bearer-frontend.ts'
import { startChromium } from '../support/chromium.ts'
import { connectInPopup, fetchNotes, openPopup, runWork, statusOfProductboard, submitConsent, workResult } from '../support/client-page.ts'

const browser = await startChromium(t)

t.test('another user of the same browser has nothing of the first', async t => {
  const { frontend } = await startBearerFrontend(t)
  const { page } = await newFrontendUser(t, browser, frontend, 'ada')
  await submitConsent(await openPopup(page, connectInPopup), 'Allow')
  await workResult(page)
  await signInAtFrontend(page, frontend, 'grace')
  t.same(await runWork(page, statusOfProductboard), { value: 'disconnected' })
  t.match(await runWork(page, fetchNotes()), { error: { code: 'connection_required' } })
  await signInAtFrontend(page, frontend, 'ada')
  t.same(await runWork(page, fetchNotes()), { value: [200, 5] })
})

t.test('a token that ran out is asked for anew, and the request is sent again', async t => {
  const { frontend, staleTokens } = await startBearerFrontend(t)
  const { page } = await newFrontendUser(t, browser, frontend, 'ada')
  await submitConsent(await openPopup(page, connectInPopup), 'Allow')
  await workResult(page)
  staleTokens.left = 1
  t.same(await runWork(page, fetchNotes()), { value: [200, 5] })
  t.equal(staleTokens.left, 0)
  staleTokens.left = 2
  t.match(await runWork(page, fetchNotes()), { error: { isOurs: true, code: 'token_invalid', status: 401 } })
})

t.test('a user with two accounts names the one that a request uses', async t => {
  const { frontend, vendor } = await startBearerFrontend(t)
  const { page } = await newFrontendUser(t, browser, frontend, 'ada')
  const ids: string[] = []
  for (const account of [undefined, 'add']) {
    const options = JSON.stringify({ popup: true, account })
    await submitConsent(await openPopup(page, `grantkeeper.connect('productboard', ${options})`), 'Allow')
    const { value } = (await workResult(page)) as { value: { id: string } }
    ids.push(value.id)
  }
  const [first = '', second = ''] = ids
  t.not(first, second)
  const tokenFor = async (init: string) => {
    t.same(await runWork(page, fetchNotes(init)), { value: [200, 5] })
    return vendor.requests.at(-1)?.headers.authorization
  }
  const [firstToken, secondToken] = [await tokenFor(`{ account: '${first}' }`), await tokenFor(`{ account: '${second}' }`)]
  t.not(firstToken, secondToken)
  t.equal(await tokenFor('{}'), firstToken, 'the first is the default')
  await runWork(page, `grantkeeper.setDefault('productboard', '${second}')`)
  t.equal(await tokenFor('{}'), secondToken)

  await runWork(page, `grantkeeper.disconnect('productboard', { account: '${second}' })`)
  t.equal(vendor.counts.revocations, 1)
  t.match(await runWork(page, fetchNotes(`{ account: '${second}' }`)), { error: { code: 'connection_unknown' } })
  t.equal(await tokenFor('{}'), firstToken)
})
