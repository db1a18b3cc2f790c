import type { ServerResponse } from 'node:http'
import type { Test } from 'tap'
import type { Provider } from '../../src/core/provider/definition.ts'
import { apiKeyWith, oauth2With, providerWith } from '../core/support.ts'
import { type FakeProvider, json, startFakeProvider } from './fake-provider.ts'

const address = 'https://{shop}.shop.example'

/** A vendor whose users each have an address of their own, and name it before they sign in. */
export const shop: Provider = providerWith({
  name: 'shop',
  title: 'Shop',
  description: 'Orders of your shop',
  parameters: {
    shop: {
      title: 'Your shop',
      example: 'my-shop',
      hint: 'The first part of its address.',
      pattern: '[a-z0-9][a-z0-9\\-]*',
      suffix: '.shop.example'
    }
  },
  api: { baseUrl: `${address}/admin`, linkBases: [`${address}/links`] },
  methods: { oauth2: oauth2With({ authorizeUrl: `${address}/authorize`, tokenUrl: `${address}/token` }) }
})

/** A vendor whose keys go with an e-mail address, at an address of the user's own. */
export const desk: Provider = providerWith({
  name: 'desk',
  title: 'Desk',
  description: 'Tickets of your desk',
  parameters: {
    subdomain: { title: 'Subdomain', example: 'acme', pattern: '[a-z0-9\\-]+', suffix: '.desk.example' },
    region: { title: 'Region', example: 'eu', oneOf: { eu: 'Europe', us: 'United States' }, default: 'eu' }
  },
  api: { baseUrl: 'https://{subdomain}.desk.example/api', headers: { 'x-region': '{region}' } },
  methods: {
    apiKey: {
      ...apiKeyWith({ in: 'basic', username: '{email}/token', password: '{key}' }),
      fields: {
        email: { title: 'E-mail address', example: 'ada@example.com', pattern: '[^@\\s]+@[^@\\s]+' },
        pin: { title: 'PIN', example: '0000', secret: true },
        key: { title: 'API token', example: 'k3y', secret: true }
      }
    }
  }
})

export type Shops = {
  readonly provider: FakeProvider
  readonly environment: Readonly<Record<string, string>>
  /** What the provider was asked at all, in order. */
  readonly seen: () => string[]
}

/** The only key that the desk accepts, with its e-mail address. */
export const deskKey = { email: 'ada@example.com', key: 'k3y' }
const deskCredential = `Basic ${Buffer.from(`${deskKey.email}/token:${deskKey.key}`).toString('base64')}`

/** Back at once from where users sign in, as from a vendor that remembers the consent. */
export function signInAtOnce(url: string, response: ServerResponse): void {
  const { searchParams } = new URL(url, 'http://localhost')
  const back = new URL(searchParams.get('redirect_uri') ?? '')
  back.search = String(new URLSearchParams({ code: 'c', state: searchParams.get('state') ?? '' }))
  response.writeHead(302, { location: back.href }).end()
}

/** Plays both on one socket, below paths with what users have given. */
export async function startShops(t: Test): Promise<Shops> {
  const provider = await startFakeProvider(t, 'SHOP')
  const { origin, environment } = provider
  provider.api = ({ url, headers }, response) => {
    const [, area, name] = new URL(url, origin).pathname.split('/')
    if (area === 'authorize') return signInAtOnce(url, response)
    const isAccepted = area === 'shops' || headers.authorization === deskCredential
    json(response, isAccepted ? 200 : 401, { name, url, region: headers['x-region'] })
  }
  return {
    provider,
    environment: {
      ...environment,
      SHOP_AUTHORIZE_URL: `${origin}/authorize/{shop}`,
      SHOP_TOKEN_URL: `${origin}/token/{shop}`,
      SHOP_API_URL: `${origin}/shops/{shop}`,
      DESK_API_URL: `${origin}/desks/{subdomain}`
    },
    seen: () => [...provider.seen.token, ...provider.seen.revoke, ...provider.seen.api].map(({ method, url }) => `${method} ${url}`)
  }
}

/** Nobody's shop: each must be refused before any request. */
export const hostileShops: readonly string[] = [
  '',
  ' ',
  'a'.repeat(10_000),
  'shöp',
  'аcme', // Cyrillic
  '.',
  '..',
  'acme@evil.example',
  '@evil.example',
  'acme/../evil',
  'evil.example/',
  'evil.example#',
  'evil.com#.shop.example',
  'evil.com?.shop.example',
  'evil.com\\.shop.example',
  'evil.com/.shop.example',
  'user@acme.shop.example',
  'acme.shop.example:8443',
  'acme.shop.example.evil.example',
  'http://acme.shop.example',
  'acme%2eevil',
  '%61cme',
  'acme:443',
  '127.0.0.1',
  '2130706433.0',
  '[::1]',
  '169.254.169.254',
  'xn--cme-7ra',
  'xn--cme-7ra.shop.example',
  'localhost.localdomain',
  'acme\nx',
  'acme\u0000',
  'acme, evil',
  'acme{shop}',
  '{shop}',
  '-acme',
  '<script>alert(1)</script>'
]
