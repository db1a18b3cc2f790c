import t from 'tap'
import { startGateway } from '../support/gateway.ts'

t.test('an outage of the token issuer is an error without keys, and a warning with them', async t => {
  const { services, logs } = await startGateway(t)
  const facts = { issuer: 'https://login.example', message: 'the key set of the issuer has the status 500', code: undefined }
  services.events.publish('issuer.unavailable', { ...facts, hasKeys: false })
  services.events.publish('issuer.unavailable', { ...facts, hasKeys: true })
  services.events.publish('issuer.available', { issuer: facts.issuer })
  const lines = logs.map(line => JSON.parse(line)).filter(({ msg }) => /identity provider/.test(msg))
  t.match(lines, [
    { level: 50, issuer: facts.issuer, reason: facts.message, msg: /no bearer token/ },
    { level: 40, issuer: facts.issuer, reason: facts.message, msg: /stay in use/ },
    { level: 30, issuer: facts.issuer, msg: /asked again/ }
  ])
})
