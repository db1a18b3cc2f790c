import fc from 'fast-check'

/** What Eve sends in a request's head. */
const cookies = ['none', 'eve', 'eve', 'eve', 'old', 'forged', 'flow as session', 'session as flow', 'garbage and eve'] as const
const bearers = [
  'none',
  'eve',
  'expired',
  'other audience',
  'other key',
  'public key as secret',
  'unsigned',
  'id token',
  'logout token',
  'hash of a service key',
  'guessed service key',
  'eve and expired',
  'basic'
] as const
const extras = [
  'Grantkeeper-User',
  'Grantkeeper-User twice',
  'Grantkeeper_User',
  'X-Grantkeeper-User',
  'X-Forwarded-User',
  'Grantkeeper-Connection',
  'Grantkeeper-Connection twice',
  'Grantkeeper_Connection',
  'Connection: Grantkeeper-User',
  'Origin: frontend',
  'Origin: preview',
  'Origin: null',
  'cross-site',
  'no X-CSRF',
  'a person’s page'
] as const
/** With `ID` for a connection's, and `P` for its provider's name. */
const routes = [
  'GET /connections',
  'GET /invitations',
  'GET /',
  'GET /connect/P?account=ID',
  'GET /proxy/P/x',
  'POST /proxy/P/x',
  'GET /proxy/P@ID/x',
  'GET /proxy/P@ID/x',
  'PATCH /proxy/P@ID/x?y=1',
  'HEAD /proxy/P@ID/x',
  'GET /proxy/P~base@ID/x',
  'GET /proxy/P@ID~base/x',
  'GET /proxy/P%40ID/x',
  'GET /proxy/P@@ID/x',
  'GET /proxy/P@ID%2Fx/y',
  'GET /proxy/P@/ID/x',
  'GET /proxy//P@ID/x',
  'DELETE /connections',
  'DELETE /connections/P',
  'DELETE /connections/P/ID',
  'DELETE /connections/P/ID',
  'DELETE /connections/P@ID',
  'PUT /connections/P/default {"id":"ID"}',
  'PUT /connections/P@ID/default {"id":"ID"}',
  'PUT /connections/P/ID/choice {"value":"x"}',
  'PUT /connections/P@ID/ID/choice {"value":"x"}',
  'POST /connections/P/refresh',
  'POST /connections/P@ID/refresh',
  'POST /connections/P/token',
  'POST /connections/P/invitation {"account":"ID"}',
  'POST /connections/P {"apiKey":"eve-key-more","account":"ID"}',
  'GET /auth/P?account=ID',
  'POST /auth/P {"returnTo":"/","account":"ID"}',
  'POST /links {"provider":"P","path":"/x","account":"ID"}',
  'POST /links {"provider":"P@ID","path":"/x"}',
  'POST /logout',
  'POST /takeover',
  'DELETE /takeover'
] as const
/** What Ada has been given, each for one purpose. */
export const tokens = [
  'code',
  'start',
  'link',
  'invitation',
  'invitation id',
  'connection id',
  'state',
  'flow cookie',
  'session cookie'
] as const
export type TokenName = (typeof tokens)[number]
/** The purposes: routes with `T` for a token, and those tokens that are meant for them. */
export const purposes: ReadonlyArray<readonly [route: string, own: readonly TokenName[]]> = [
  ['POST /connections/complete {"code":"T"}', ['code']],
  ['GET /start/T', ['start']],
  ['GET /start/T?method=api_key', ['start']],
  ['POST /start/T {"apiKey":"eve-key-more"}', ['start']],
  ['GET /links/T', ['link']],
  ['GET /links/T/x', []],
  ['GET /invitations/T', ['invitation']],
  ['POST /invitations/T {"apiKey":"eve-key-more"}', ['invitation']],
  ['POST /invitations/T/accept', ['invitation']],
  ['POST /invitations/T/decline', ['invitation']],
  ['DELETE /invitations/T', []],
  ['GET /auth/productboard/callback?code=c&state=T', []],
  ['GET /login/callback?code=c&state=T', []],
  ['GET /proxy/productboard@T/x', []],
  ['DELETE /connections/productboard/T', []],
  ['POST /login/backchannel-logout logout_token=T', []],
  ['GET /connections Bearer T', []]
]

const sender = {
  cookie: fc.constantFrom(...cookies),
  bearer: fc.oneof({ weight: 3, arbitrary: fc.constantFrom('none', 'eve') }, { weight: 2, arbitrary: fc.constantFrom(...bearers) }),
  extras: fc.subarray([...extras], { maxLength: 3 })
}
export const steps = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ ...sender, route: fc.constantFrom(...routes), connection: fc.nat(3) })
    },
    { weight: 3, arbitrary: fc.record({ ...sender, purpose: fc.nat(purposes.length - 1), token: fc.constantFrom(...tokens) }) },
    { weight: 1, arbitrary: fc.record({ ...sender, planted: fc.constantFrom('Ada’s flow', 'Ada’s login', 'Ada’s code') }) }
  ),
  { minLength: 1, maxLength: 6 }
)
export type Step = typeof steps extends fc.Arbitrary<Array<infer S>> ? S : never
export type Sender = Pick<Step, 'cookie' | 'bearer' | 'extras'>
export type Request = { readonly method: string; readonly path: string; readonly body?: string; readonly headers: readonly string[] }
