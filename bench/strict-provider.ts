// A strict OAuth provider and its API on a free loopback port, started as a process. GRACE_MS: see strict-grants.ts. FAULTS=1: of every
// hundred refreshes, one is slow and the response of another is dropped.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { json } from '../test/support/fake-provider.ts'
import { createStrictGrants } from './strict-grants.ts'

/** Delay of a token request, and of the slow one: just below the time for which the gateway's requests wait. */
const tokenDelayMs = 20
const slowTokenDelayMs = 9_000
const [slowOne, lostOne] = [25, 75]
const isFaulty = process.env.FAULTS === '1'

const grants = createStrictGrants(Number(process.env.GRACE_MS ?? 0))
/** Set while the next renewal must get no response; resolves with the instance that sent it. */
let heldRenewal: PromiseWithResolvers<string> | undefined

/** `/token/INSTANCE`: each instance has its own token URL, which identifies the one that renews. */
async function token(request: IncomingMessage, response: ServerResponse, instance: string) {
  const form = new URLSearchParams(await text(request))
  // The token is rotated on arrival, not with the response: an instance that dies in between leaves a rotated token behind.
  const granted = form.get('grant_type') === 'refresh_token' ? grants.refresh(form.get('refresh_token') ?? '') : grants.create()
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

async function control(response: ServerResponse, [command, grant = '']: string[]) {
  if (command === 'expire') grants.expireAccessToken(grant)
  if (command === 'hold-next') heldRenewal = Promise.withResolvers()
  const instance = command === 'held' ? await heldRenewal?.promise : undefined
  if (command === 'held') heldRenewal = undefined
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
