// A strict OAuth provider and its API, in a process of its own on a free loopback port. GRACE_MS: see strict-grants.ts. FAULTS: of a hundred
// refreshes one takes long, and the response of another is lost.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { json } from '../test/support/fake-provider.ts'
import { createStrictGrants } from './strict-grants.ts'

/** How long a token call takes, and the slow one of a hundred: almost as long as a gateway's callers wait. */
const tokenDelayMs = 20
const slowTokenDelayMs = 9_000
const [slowOne, lostOne] = [25, 75]
const isFaulty = process.env.FAULTS === '1'

const grants = createStrictGrants(Number(process.env.GRACE_MS ?? 0))
/** The bench's wish that the next renewal gets no answer, and the instance that made it. */
let heldRenewal: PromiseWithResolvers<string> | undefined

/** `/token/INSTANCE`: each instance is configured with an address of its own, so that it is known who renews. */
async function token(request: IncomingMessage, response: ServerResponse, instance: string) {
  const form = new URLSearchParams(await text(request))
  // Spent when the call comes in, not when the answer leaves: whoever dies in between leaves a spent token behind.
  const granted = form.get('grant_type') === 'refresh_token' ? grants.refresh(form.get('refresh_token') ?? '') : grants.begin()
  if (heldRenewal && form.get('grant_type') === 'refresh_token') {
    heldRenewal.resolve(instance)
    return
  }
  const turn = isFaulty && form.get('grant_type') === 'refresh_token' ? grants.counts.tokenCalls % 100 : undefined
  if (granted && turn === lostOne) {
    grants.counts.lost++
    response.destroy()
    return
  }
  if (turn === slowOne) grants.counts.slow++
  await sleep(turn === slowOne ? slowTokenDelayMs : tokenDelayMs)
  if (granted) json(response, 200, granted)
  else json(response, 400, { error: 'invalid_grant' })
}

function api(request: IncomingMessage, response: ServerResponse) {
  const grant = grants.idOf(request.headers.authorization?.slice('Bearer '.length) ?? '')
  if (grant) json(response, 200, { grant })
  else json(response, 401, { message: 'the token has expired' })
}

async function control(response: ServerResponse, [wish, grant = '']: string[]) {
  if (wish === 'expire') grants.expireAccessToken(grant)
  if (wish === 'hold-next') heldRenewal = Promise.withResolvers()
  const instance = wish === 'held' ? await heldRenewal?.promise : undefined
  if (wish === 'held') heldRenewal = undefined
  json(response, 200, { counts: grants.counts, instance })
}

const server = createServer(async (request, response) => {
  const [, area, ...rest] = (request.url ?? '').split('/')
  if (area === 'token') await token(request, response, rest[0] ?? '')
  else if (area === 'control') await control(response, rest)
  else api(request, response)
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`The provider is ready: http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
