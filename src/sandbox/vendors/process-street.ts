import { pageSize, paginate, withQuery } from '../paginate.ts'
import { stableSlug } from '../stable-id.ts'
import type { RouteRequest, Vendor } from '../vendor.ts'

const workflows = [
  'Welcome a new tea blender',
  'Receive a shipment of leaves',
  'Taste a new harvest',
  'Open the shop',
  'Close the shop',
  'Pack a wholesale order',
  'Answer a complaint',
  'Clean the blending drum',
  'Plan a seasonal box',
  'Check the scales',
  'Take stock at month’s end',
  'Approve a label'
].map((name, index) => ({ id: stableSlug(`workflow ${name}`), name, status: index === 11 ? 'Archived' : 'Active' }))

const workflowRuns = workflows.map(({ id, name }, index) => ({
  id: stableSlug(`run ${name}`),
  name: `${name}, week ${36 + index}`,
  status: index % 4 === 3 ? 'Completed' : 'Active',
  workflowId: id,
  dueDate: new Date(Date.UTC(2026, 8, 7 + index * 7, 16)).toISOString(),
  audit: { createdDate: new Date(Date.UTC(2026, 8, 1 + index * 7, 8)).toISOString() }
}))

function list(name: string, items: readonly unknown[], { query, url }: RouteRequest) {
  const page = paginate(items, query.get('cursor'), pageSize(query.get('limit'), 5))
  const links = page.nextCursor === undefined ? [] : [{ name: 'next', href: withQuery(url, 'cursor', page.nextCursor), type: 'Api' }]
  return { status: 200, body: { [name]: page.items, links } }
}

const names = new Map([
  [401, 'Unauthorized'],
  [404, 'NotFound'],
  [429, 'TooManyRequests'],
  [500, 'InternalServerError']
])

export default {
  account: 'Fernhill Tea, operations',
  routes: () => [
    { method: 'GET', path: '/testAuth', respond: () => ({ status: 200, body: { apiKeyLabel: 'Fernhill Tea sandbox' } }) },
    { method: 'GET', path: '/workflows', respond: request => list('workflows', workflows, request) },
    {
      method: 'GET',
      path: '/workflow-runs',
      respond(request) {
        const workflowId = request.query.get('workflowId')
        return list('workflowRuns', workflowId ? workflowRuns.filter(run => run.workflowId === workflowId) : workflowRuns, request)
      }
    }
  ],
  problem: (status, message) => ({ error: names.get(status) ?? 'BadRequest', message }),
  rateLimit: { limit: 100, windowSeconds: 60 }
} satisfies Vendor
