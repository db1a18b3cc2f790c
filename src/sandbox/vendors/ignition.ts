import { pageSize, paginate } from '../paginate.ts'
import { stableHex } from '../stable-id.ts'
import type { RouteRequest, Vendor } from '../vendor.ts'

const clients = [
  'Fernhill Tea Ltd',
  'Fernhill Tea Rooms',
  'Fernhill Wholesale',
  'Marrow Lane Bakery',
  'The Slow Kettle',
  'Tin and Leaf Packaging',
  'Hollowbrook Gardens',
  'Copper Spout Cafés',
  'Northbank Crockery',
  'Littlemoor Honey',
  'Quiet Hour Books',
  'Saltgrass Ferries'
].map((name, index) => ({
  id: `client_${stableHex(`client ${name}`)}`,
  name,
  email: `accounts-${index + 1}@example.org`,
  state: index === 11 ? 'archived' : 'active',
  created_at: new Date(Date.UTC(2026, 5, 2 + index * 3, 9)).toISOString()
}))

const states = ['accepted', 'awaiting_acceptance', 'draft', 'completed']

const proposals = clients.map(({ id, name }, index) => ({
  id: `prop_${stableHex(`proposal ${name}`)}`,
  reference: `PROP-${1001 + index}`,
  name: `Bookkeeping and tax for ${name}`,
  client: { id, name },
  state: states[index % states.length],
  total: { amount: (450 + index * 75).toFixed(2), currency: 'GBP' },
  effective_start_date: new Date(Date.UTC(2026, 6, 1 + index)).toISOString().slice(0, 10)
}))

function list(items: readonly unknown[], { query }: RouteRequest) {
  const limit = pageSize(query.get('limit'), 5)
  const page = paginate(items, query.get('cursor'), limit)
  return { status: 200, body: { data: page.items, meta: { pagination: { limit, next_cursor: page.nextCursor ?? null } } } }
}

const codes = new Map([
  [401, 'unauthorized'],
  [404, 'not_found'],
  [429, 'rate_limited'],
  [500, 'internal_error']
])

export default {
  account: 'Fernhill Accounts, practice',
  routes: () => [
    { method: 'GET', path: '/reporting/clients', respond: request => list(clients, request) },
    { method: 'GET', path: '/reporting/proposals', respond: request => list(proposals, request) }
  ],
  problem: (status, message) => ({ error: { code: codes.get(status) ?? 'bad_request', message } }),
  rateLimit: {
    limit: 1000,
    windowSeconds: 3600,
    headers: ({ limit, remaining, resetsAtSeconds }) => ({
      'x-ratelimit-limit': String(limit),
      'x-ratelimit-remaining': String(remaining),
      'x-ratelimit-reset': String(resetsAtSeconds)
    })
  }
} satisfies Vendor
