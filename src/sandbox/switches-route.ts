import type { IncomingMessage, ServerResponse } from 'node:http'
import { parseJson, readBody, sendJson } from './http.ts'
import type { VendorState } from './state.ts'
import { readSwitches, writeSwitches } from './switches.ts'

type Parts = {
  /** The sandbox's own, as in a Host header. */
  readonly host: string
  readonly states: ReadonlyMap<string, VendorState>
}

/** `GET /_switches` shows all vendors' switches, `PATCH /VENDOR/_switches` sets some of one. */
export function switchesRoute({ host, states }: Parts) {
  return async (req: IncomingMessage, res: ServerResponse, vendor: string): Promise<void> => {
    // A page in a browser that reaches this port says who it is: by its origin, or, after DNS rebinding, by the host it asks for.
    if (req.headers.origin !== undefined || req.headers.host !== host) {
      return sendJson(res, 403, { message: 'Switches are not for web pages' })
    }
    if (vendor === '' && req.method === 'GET') {
      return sendJson(res, 200, Object.fromEntries([...states].map(([name, { switches }]) => [name, writeSwitches(switches)])))
    }
    const state = states.get(vendor)
    if (!state || req.method !== 'PATCH') return sendJson(res, 404, { message: 'There are GET /_switches and PATCH /VENDOR/_switches' })
    try {
      Object.assign(state.switches, readSwitches(parseJson((await readBody(req))?.text)))
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      return sendJson(res, 400, { message: error.message })
    }
    sendJson(res, 200, writeSwitches(state.switches))
  }
}
