import { sendRaw } from '../support/raw.ts'
import { base, buildRequest, type Follower, type RequestBytes } from './requests.ts'
import { type ParsedResponse, parseResponses } from './responses.ts'

export type AnyRequest = { readonly bytes: RequestBytes; readonly after?: Follower }
/** A request, the id by which the provider recognizes it, and the response, if any. */
export type Exchange<T> = { readonly request: T; readonly caseId: string; readonly response: ParsedResponse | undefined }

type Client = { readonly port: number; readonly cookie: string }

// All requests of a connection may be in flight at once. Together the connections stay below the limit of 256 per session.
const maxRequestsPerConnection = 60
const maxConnections = 4
const validRequest = buildRequest({ target: `${base}/last`, lines: ['Connection: close'] })
let caseCount = 0

/**
 * Sends each request byte for byte. Requests that leave the connection open share connections, each of which ends with a valid request that
 * must be served. A request that ends its connection is followed by one that must not be read.
 * @returns the exchanges, and the number of connections whose valid request was not served
 */
export async function exchangeAll<T extends AnyRequest>(
  { port, cookie }: Client,
  requests: readonly T[]
): Promise<{ exchanges: Exchange<T>[]; broken: number }> {
  const cases = requests.map(request => ({ request, caseId: `case-${++caseCount}` }))
  const shared = cases.filter(({ request }) => !request.after)
  const connections = [
    ...Array.from({ length: Math.ceil(shared.length / maxRequestsPerConnection) }, (_, i) =>
      shared.slice(i * maxRequestsPerConnection, (i + 1) * maxRequestsPerConnection)
    ),
    ...cases.filter(({ request }) => request.after).map(one => [one])
  ]
  let broken = 0
  const exchanges: Exchange<T>[] = []

  async function exchange(connection: typeof cases): Promise<void> {
    const [first] = connection
    const after = first?.request.after
    const bytes = connection.map(({ request, caseId }) => request.bytes({ cookie, caseId }))
    if (after !== 'nothing') bytes.push(validRequest({ cookie, caseId: after && first ? first.caseId : 'last' }))
    const responses = parseResponses(await sendRaw(port, bytes.join('')))
    connection.forEach(({ request, caseId }, i) => void exchanges.push({ request, caseId, response: responses[i] }))
    if (!after && (responses.length !== bytes.length || responses.at(-1)?.status !== 200)) broken++
  }

  const queue = connections.values()
  await Promise.all(
    Array.from({ length: maxConnections }, async () => {
      for (const connection of queue) await exchange(connection)
    })
  )
  return { exchanges, broken }
}
