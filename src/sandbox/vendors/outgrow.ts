import { stableHex } from '../stable-id.ts'
import type { Vendor } from '../vendor.ts'

const calculators = [
  ['How much tea does your office drink?', 'Numerical Calculator'],
  ['Which tea are you?', 'Outcome Quiz'],
  ['What does a subscription save you?', 'Numerical Calculator'],
  ['Are you steeping too long?', 'Graded Quiz'],
  ['Find your evening tea', 'Recommendation'],
  ['Rate our new tins', 'Survey'],
  ['What is a café’s margin on tea?', 'Numerical Calculator'],
  ['Green, white or oolong?', 'Outcome Quiz'],
  ['How well do you know your leaves?', 'Graded Quiz'],
  ['Pick a gift box', 'Recommendation'],
  ['Wholesale order planner', 'Numerical Calculator'],
  ['Help us name a blend', 'Poll']
].map(([name = '', type = ''], index) => ({
  id: stableHex(`calculator ${name}`),
  name,
  type,
  status: index === 11 ? 'Draft' : 'Live',
  created_at: new Date(Date.UTC(2026, 7, 3 + index, 10)).toISOString()
}))

const leadsOf = (calculator: string) =>
  Array.from({ length: 12 }, (_, index) => ({
    id: stableHex(`lead ${calculator} ${index}`),
    email: `visitor-${index + 1}@example.org`,
    answers: [{ question: 'How many cups a day?', answer: String(1 + (index % 5)) }],
    result: `${12 + index * 3} pouches a year`,
    created_at: new Date(Date.UTC(2026, 9, 1 + index, 14, index)).toISOString()
  }))

export default {
  account: 'Fernhill Tea, marketing',
  routes: () => [
    // With a key the path is /get_cal/KEY, which is read before.
    { method: 'GET', path: '/get_cal', respond: () => ({ status: 200, body: { success: true, data: calculators } }) },
    {
      method: 'GET',
      path: '/get_leads/:id',
      respond: ({ params: { id = '' } }) =>
        calculators.some(calculator => calculator.id === id)
          ? { status: 200, body: { success: true, data: leadsOf(id) } }
          : { status: 200, body: { success: false, message: 'There is no such calculator' } }
    }
  ],
  problem: (_status, message) => ({ success: false, message }),
  rateLimit: { limit: 60, windowSeconds: 60 }
} satisfies Vendor
