import t from 'tap'
import { assertProblem } from '../support/connected.ts'
import { startUserGateway } from '../support/users.ts'

t.test('SEC-58: an access token is handed out over TLS or on this machine', async t => {
  const handOut = async (publicUrl?: string) => {
    const { backendFor, connect, gateway } = await startUserGateway(t, {
      environment: publicUrl ? { PUBLIC_URL: publicUrl, ALLOW_PUBLIC_DEVELOPMENT: '1' } : {}
    })
    if (!publicUrl) await connect('ada')
    return { response: await backendFor('ada', 'reader').send('POST', '/connections/productboard/token'), gateway }
  }
  await assertProblem(t, (await handOut('http://gateway.internal')).response, 403, 'not_allowed')
  t.equal((await handOut('https://connect.example.com')).response.status, 401, 'there is no connection to hand out')
  const { response, gateway } = await handOut()
  t.equal(response.status, 200)
  const { accessToken } = (await response.json()) as { accessToken: string }
  const line = gateway.logs.find(text => text.includes('"serviceKey":"reader"'))
  t.ok(line, 'who was handed a token is in the log')
  t.notOk(gateway.logs.some(text => text.includes(accessToken)))
})
