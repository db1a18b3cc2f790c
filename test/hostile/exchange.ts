import { raw } from '../support/raw.ts'
import { type After, type Bytes, base, call } from './requests.ts'
import { type Answer, answersIn } from './responses.ts'

export type Sendable = { readonly bytes: Bytes; readonly after?: After }
/** What was sent, the name by which the provider knows it if it came there, and what came back. */
export type Exchange<T> = { readonly sent: T; readonly caseId: string; readonly answer: Answer | undefined }

type Person = { readonly port: number; readonly cookie: string }

// Those of a connection may all be under way at once. Together they stay below the 256 that a session may have.
const maxOnAConnection = 60
const connectionsAtOnce = 4
const last = call({ target: `${base}/last`, lines: ['Connection: close'] })
let cases = 0

/**
 * Sends each request as it is, many on a connection where it stays open. Behind those that share one lies a proper call, which must
 * be served; behind one that ends it lies a call that nobody may read.
 * @returns what came back, and on how many connections the proper call was not served
 */
export async function exchangeAll<T extends Sendable>(
  { port, cookie }: Person,
  requests: readonly T[]
): Promise<{ exchanges: Exchange<T>[]; broken: number }> {
  const named = requests.map(sent => ({ sent, caseId: `case-${++cases}` }))
  const shared = named.filter(({ sent }) => !sent.after)
  const connections = [
    ...Array.from({ length: Math.ceil(shared.length / maxOnAConnection) }, (_, i) =>
      shared.slice(i * maxOnAConnection, (i + 1) * maxOnAConnection)
    ),
    ...named.filter(({ sent }) => sent.after).map(one => [one])
  ]
  let broken = 0
  const exchanges: Exchange<T>[] = []

  async function exchange(list: typeof named): Promise<void> {
    const [first] = list
    const after = first?.sent.after
    const bytes = list.map(({ sent, caseId }) => sent.bytes({ cookie, caseId }))
    if (after !== 'nothing') bytes.push(last({ cookie, caseId: after && first ? first.caseId : 'last' }))
    const answers = answersIn(await raw(port, bytes.join('')))
    list.forEach(({ sent, caseId }, i) => void exchanges.push({ sent, caseId, answer: answers[i] }))
    if (!after && (answers.length !== bytes.length || answers.at(-1)?.status !== 200)) broken++
  }

  const queue = connections.values()
  await Promise.all(
    Array.from({ length: connectionsAtOnce }, async () => {
      for (const list of queue) await exchange(list)
    })
  )
  return { exchanges, broken }
}
