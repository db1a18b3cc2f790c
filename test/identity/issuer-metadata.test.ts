import t from 'tap'
import type { IssuerFetch } from '../../src/identity/issuer-fetch.ts'
import { fetchMetadata, idTokenAlgorithms } from '../../src/identity/issuer-metadata.ts'
import { json } from '../support/fake-provider.ts'
import { newSigningKey, startJwtIssuer } from '../support/jwt-issuer.ts'
import { setUp } from './support.ts'

const discovery = '/.well-known/openid-configuration'
const unavailable = { code: 'issuer_unavailable', status: 503 }

/** The metadata of an issuer whose document is this one. */
async function metadataOf(issuer: string, change: Readonly<Record<string, unknown>> = {}) {
  const document = {
    issuer,
    authorization_endpoint: 'https://login.example.com/authorize',
    token_endpoint: 'https://login.example.com/token',
    jwks_uri: 'https://keys.example.com/jwks',
    ...change
  }
  const urls: string[] = []
  const fetch: IssuerFetch = async url => {
    urls.push(url)
    return { status: 200, headers: {}, body: Buffer.from(JSON.stringify(document)) }
  }
  const requiredEndpoints = ['authorization_endpoint', 'token_endpoint', 'jwks_uri']
  return { urls, metadata: await fetchMetadata({ issuer, requiredEndpoints, fetch, signal: new AbortController().signal }) }
}

t.test('metadata are at the well-known address below the issuer', async t => {
  for (const [name, url] of [
    ['https://login.example.com', 'https://login.example.com/.well-known/openid-configuration'],
    ['https://login.example.com/', 'https://login.example.com/.well-known/openid-configuration'],
    ['https://login.example.com/realms/a%20b', 'https://login.example.com/realms/a%20b/.well-known/openid-configuration']
  ] as const) {
    const { metadata, urls } = await metadataOf(name)
    t.match(metadata, { issuer: name })
    t.strictSame(urls, [url])
  }
})

t.test('SEC-47: an issuer on https cannot send its users, codes or keys over http', async t => {
  for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri']) {
    const message = new RegExp(`no https URL in "${name}"`)
    for (const url of ['http://login.example.com/x', 'https://u:p@login.example.com/x', 'javascript:alert(1)', '/x', 7, undefined])
      await t.rejects(metadataOf('https://login.example.com', { [name]: url }), { name: 'IssuerError', message }, String(url))
  }
  const optional = { userinfo_endpoint: 'http://login.example.com/x', end_session_endpoint: 'http://login.example.com/x' }
  const { metadata } = await metadataOf('https://login.example.com', optional)
  for (const name of Object.keys(optional)) t.notOk(name in metadata, name)
})

t.test('SEC-44: only asymmetric algorithms are taken from what an issuer announces', t => {
  const algorithmsOf = (announced: unknown) => idTokenAlgorithms({ issuer: 'x', id_token_signing_alg_values_supported: announced } as never)
  t.strictSame(algorithmsOf(['none', 'HS256', 'ES256', 'RS256', 7]), ['ES256', 'RS256'])
  t.strictSame(algorithmsOf('none'), [])
  t.strictSame(algorithmsOf(undefined), ['RS256'], 'OpenID Connect Core §3.1.3.7')
  t.end()
})

t.test('SEC-47: keys are found by the discovery document of the issuer', async t => {
  const s = await setUp(t)
  await s.verify(await s.token())
  t.strictSame(s.issuer.requests, [discovery, '/keys'])
})

t.test('an issuer may have a path, with or without a slash at its end', async t => {
  for (const path of ['/realms/main', '/realms/main/']) {
    const issuer = await startJwtIssuer(t, { path })
    issuer.handlers.set(`/realms/main${discovery}`, (_, response) =>
      json(response, 200, { issuer: issuer.issuer, jwks_uri: issuer.jwksUrl })
    )
    const s = await setUp(t, { issuer })
    t.match(await s.verify(await s.token()), { userId: 'ada' }, path)
  }
})

t.test('where OpenID Connect is unknown, the metadata of RFC 8414 is read', async t => {
  const issuer = await startJwtIssuer(t, { path: '/tenant' })
  issuer.handlers.set(`/tenant${discovery}`, (_, response) => json(response, 404, {}))
  const oauth = '/.well-known/oauth-authorization-server/tenant'
  issuer.handlers.set(oauth, (_, response) => json(response, 200, { issuer: issuer.issuer, jwks_uri: issuer.jwksUrl }))
  const s = await setUp(t, { issuer })
  await s.verify(await s.token())
  t.strictSame(issuer.requests, [`/tenant${discovery}`, oauth, '/keys'])
})

t.test('SEC-47: a discovery document that lies is not believed', async t => {
  const evil = newSigningKey('evil')
  const elsewhere = await startJwtIssuer(t)
  elsewhere.keys = [evil.jwk]
  for (const [metadata, reason] of [
    [{ issuer: 'https://evil.example', jwks_uri: elsewhere.jwksUrl }, /is of the issuer https:\/\/evil\.example/],
    [{ issuer: undefined }, /is of no issuer/],
    [{ issuer: ['x'] }, /is of no issuer/],
    [{ jwks_uri: undefined }, /jwks_uri/],
    [{ jwks_uri: 'file:///etc/passwd' }, /jwks_uri/],
    [{ jwks_uri: '/keys' }, /jwks_uri/],
    [{ jwks_uri: 'http://u:p@127.0.0.1/keys' }, /jwks_uri/]
  ] as const) {
    const s = await setUp(t)
    s.issuer.metadata = metadata
    await t.rejects(s.verify(await s.token()), unavailable)
    t.match(s.published, [['issuer.unavailable', { message: reason, hasKeys: false }]])
    t.equal(s.issuer.fetchesOfKeys() + elsewhere.requests.length, 0)
  }
})

t.test('an issuer’s slash at the end is part of its name', async t => {
  const s = await setUp(t)
  s.issuer.metadata = { issuer: `${s.issuer.issuer}/` }
  await t.rejects(s.verify(await s.token()), unavailable)
  t.match(s.published, [
    ['issuer.unavailable', { message: `is of the issuer ${s.issuer.issuer}/, not of ${s.issuer.issuer} to the letter` }]
  ])
})
