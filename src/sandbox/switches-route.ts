import type { IncomingMessage, ServerResponse } from 'node:http'
import { parseJson, readBody, sendJson } from './http.ts'
import type { VendorState } from './state.ts'
import { parseSwitches, serializeSwitches } from './switches.ts'

type SwitchesRouteOptions = {
  /** The sandbox's host, as in a Host header. */
  readonly host: string
  readonly states: ReadonlyMap<string, VendorState>
}

/** `GET /_switches` returns the switches of all vendors, `PATCH /VENDOR/_switches` sets some of one vendor. */
export function createSwitchesRoute({ host, states }: SwitchesRouteOptions) {
  return async (req: IncomingMessage, res: ServerResponse, vendor: string): Promise<void> => {
    // Requests of a web page are recognized by their Origin or, after DNS rebinding, by their Host.
    if (req.headers.origin !== undefined || req.headers.host !== host) {
      return sendJson(res, 403, { message: 'Switches are not for web pages' })
    }
    if (vendor === '' && req.method === 'GET') {
      return sendJson(res, 200, Object.fromEntries([...states].map(([name, { switches }]) => [name, serializeSwitches(switches)])))
    }
    const state = states.get(vendor)
    if (!state || req.method !== 'PATCH')
      return sendJson(res, 404, { message: 'The routes are GET /_switches and PATCH /VENDOR/_switches' })
    try {
      Object.assign(state.switches, parseSwitches(parseJson((await readBody(req))?.text)))
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      return sendJson(res, 400, { message: error.message })
    }
    sendJson(res, 200, serializeSwitches(state.switches))
  }
}
