import { pageSize, paginate, withQuery } from '../paginate.ts'
import { stableUuid } from '../stable-id.ts'
import type { Route, RouteRequest, Vendor } from '../vendor.ts'

const notes = [
  ['Steeping timer in the app', 'I keep over-steeping my oolong. A timer per tea would help.'],
  ['Gift wrapping at checkout', 'Three customers asked this week whether we wrap parcels.'],
  ['Pause a subscription', 'Going away for a month; skipping one box should not mean cancelling.'],
  ['Loose leaf sizes are confusing', 'Is 50 g a lot? Please show cups instead of grams.'],
  ['Caffeine level on the label', 'I buy for my evening and cannot tell which ones are low.'],
  ['Order history is hard to find', 'It took me five minutes to reorder the Fernhill Breakfast.'],
  ['Tasting notes by other people', 'I would trust a few short reviews more than the description.'],
  ['Wholesale price list as a file', 'Our café orders monthly and copies the prices by hand.'],
  ['Screen reader skips the cart', 'The number of items is read as "button" and nothing else.'],
  ['Refill pouches', 'I have the tin already. Sell me the tea without it.'],
  ['Delivery to a parcel locker', 'Nobody is at home when the parcel comes.'],
  ['Show where the leaves come from', 'A map of the gardens would be lovely.']
].map(([name = '', content = ''], index) => note(stableUuid(`note ${name}`), name, content, day(index)))

const entities = [
  ['product', 'Fernhill shop', 'Everything a customer sees'],
  ['component', 'Checkout', 'From the cart to the thank-you page'],
  ['component', 'Subscriptions', 'Boxes that come every month'],
  ['feature', 'Steeping timer', 'A timer for each tea, with a quiet bell'],
  ['feature', 'Skip a month', 'Leave out one box and keep the subscription'],
  ['feature', 'Gift wrapping', 'Paper and a card, chosen at checkout'],
  ['feature', 'Cups instead of grams', 'Say how many cups a pouch makes'],
  ['feature', 'Caffeine scale', 'Four steps from none to strong'],
  ['feature', 'One-step reorder', 'The last order again, from the front page'],
  ['feature', 'Customer tasting notes', 'Short reviews with a rating of body and aroma'],
  ['feature', 'Wholesale price file', 'A spreadsheet that is always current'],
  ['feature', 'Parcel lockers', 'Choose a locker near you'],
  ['feature', 'Garden map', 'Where each tea was grown']
].map(([type = '', name = '', description = ''], index) => ({
  id: stableUuid(`${type} ${name}`),
  type,
  fields: { name, description, status: { name: index % 3 === 0 ? 'In progress' : 'Candidate' }, archived: false },
  createdAt: day(index),
  updatedAt: day(index + 20)
}))

function note(id: string, name: string, content: string, createdAt: string) {
  const fields = { name, content, tags: [{ name: 'sandbox' }], owner: { email: 'ada@example.com' }, processed: false, archived: false }
  return { id, type: 'textNote', fields, createdAt, updatedAt: createdAt }
}

function day(offset: number): string {
  return new Date(Date.UTC(2026, 8, 1 + offset, 9, 30)).toISOString()
}

const codes = new Map([
  [401, 'auth.unauthorized'],
  [404, 'resource.notFound'],
  [429, 'rateLimit.exceeded'],
  [500, 'server.error']
])

const problem = (status: number, message: string) => ({
  id: stableUuid(`problem ${message}`),
  errors: [{ code: codes.get(status) ?? 'request.invalid', title: message, detail: `${message}.` }]
})

function list(items: readonly { id: string }[], { query, url }: RouteRequest) {
  const page = paginate(items, query.get('pageCursor'), pageSize(query.get('pageLimit'), 5))
  const next = page.nextCursor === undefined ? null : withQuery(url, 'pageCursor', page.nextCursor)
  return { status: 200, body: { data: page.items, links: { next } } }
}

function routes(): Route[] {
  const stored = [...notes]
  return [
    { method: 'GET', path: '/v2/notes', respond: request => list(stored, request) },
    {
      method: 'POST',
      path: '/v2/notes',
      respond({ body, url }) {
        const { name, content = '' } =
          (body as { data?: { fields?: { name?: unknown; content?: unknown } } } | undefined)?.data?.fields ?? {}
        if (typeof name !== 'string' || typeof content !== 'string') {
          return { status: 400, body: problem(400, 'data.fields.name is missing or not a string') }
        }
        const created = note(crypto.randomUUID(), name, content, new Date().toISOString())
        stored.unshift(created)
        if (stored.length > 1000) stored.pop()
        const self = `${url.origin}${url.pathname}/${created.id}`
        return { status: 201, headers: { location: self }, body: { data: { id: created.id, type: created.type, links: { self } } } }
      }
    },
    {
      method: 'GET',
      path: '/v2/entities',
      respond: request =>
        list(request.query.has('type') ? entities.filter(({ type }) => request.query.getAll('type').includes(type)) : entities, request)
    },
    {
      method: 'GET',
      path: '/v2/entities/:id',
      respond({ params }) {
        const entity = entities.find(({ id }) => id === params.id)
        return entity ? { status: 200, body: { data: entity } } : { status: 404, body: problem(404, 'There is no such entity') }
      }
    }
  ]
}

export default {
  account: 'Fernhill Tea, product workspace',
  routes,
  problem,
  rateLimit: {
    limit: 50,
    windowSeconds: 1,
    headers: ({ limit, remaining }) => ({ 'x-ratelimit-limit': String(limit), 'x-ratelimit-remaining': String(remaining) })
  }
} satisfies Vendor
