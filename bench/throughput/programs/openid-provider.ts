// The OpenID provider for Apache. It signs in every user at once, under a number as the subject. OpenID Connect Core 1.0.
import { createSign, generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'

const { PORT } = process.env
const issuer = `http://127.0.0.1:${PORT}`
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const key = { ...publicKey.export({ format: 'jwk' }), kid: 'bench', use: 'sig', alg: 'RS256' }
/** Code -> nonce, until the code is redeemed. */
const codes = new Map<string, string>()
let userCount = 0

const metadata = {
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/keys`,
  response_types_supported: ['code'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['RS256'],
  token_endpoint_auth_methods_supported: ['client_secret_basic']
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

function idToken(audience: string, nonce: string): string {
  const seconds = Math.floor(Date.now() / 1000)
  const claims = { iss: issuer, sub: `user-${++userCount}`, aud: audience, nonce, iat: seconds, exp: seconds + 86_400 }
  const signed = `${encode({ alg: 'RS256', kid: key.kid })}.${encode(claims)}`
  return `${signed}.${createSign('sha256').update(signed).sign(privateKey, 'base64url')}`
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function token(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const form = new URLSearchParams(await text(request))
  const code = form.get('code') ?? ''
  const [client = ''] = Buffer.from(request.headers.authorization?.slice('Basic '.length) ?? '', 'base64')
    .toString()
    .split(':')
  const nonce = codes.get(code) ?? ''
  codes.delete(code)
  json(response, { access_token: `access-${randomUUID()}`, token_type: 'Bearer', expires_in: 86_400, id_token: idToken(client, nonce) })
}

createServer(async (request, response) => {
  const url = new URL(request.url ?? '', issuer)
  if (url.pathname === '/keys') json(response, { keys: [key] })
  else if (url.pathname === '/token') await token(request, response)
  else if (url.pathname === '/authorize') {
    const code = randomUUID()
    codes.set(code, url.searchParams.get('nonce') ?? '')
    const redirect = new URL(url.searchParams.get('redirect_uri') ?? '')
    redirect.search = String(new URLSearchParams({ code, state: url.searchParams.get('state') ?? '' }))
    response.writeHead(302, { location: redirect.href }).end()
  } else json(response, metadata)
}).listen(Number(PORT), '127.0.0.1')
