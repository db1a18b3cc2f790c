import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { grantFile } from './grant-file.ts'
import { sendJson, splitTarget } from './http.ts'
import { playVendor, type VendorControl } from './play-vendor.ts'
import type { Switches } from './switches.ts'
import { switchesRoute } from './switches-route.ts'
import type { Vendor } from './vendor.ts'

export type Sandbox = {
  /** Such as `http://127.0.0.1:43121`. */
  readonly origin: string
  /** What to set so that the gateway uses this sandbox: every vendor's client and addresses. */
  readonly environment: Readonly<Record<string, string>>
  /** By name, the keys of the vendors that take any. */
  readonly apiKeys: Readonly<Record<string, string>>
  /** @throws {TypeError} when there is no such vendor. */
  vendor(name: string): VendorControl
  /** Ends every connection, waiting ones too. */
  close(): Promise<void>
}

export type SandboxOptions = {
  /** A vendor's callback addresses, to the letter. */
  readonly redirectUris: (vendor: string) => readonly string[]
  /** Any free one when left out. */
  readonly port?: number
  readonly host?: '127.0.0.1'
  /** Where the vendors keep what they have granted, for the next start; in memory alone when left out. */
  readonly grantsIn?: string
  readonly switches?: Readonly<Partial<Record<string, Partial<Switches>>>>
  /** Hears of the sandbox's own faults; a process warning when left out. */
  readonly onError?: (error: unknown) => void
}

const warn = (error: unknown) =>
  process.emitWarning(error instanceof Error ? (error.stack ?? error.message) : String(error), 'SandboxWarning')

const unknownVendor = (name: string) => new TypeError(`there is no vendor ${JSON.stringify(name)} in the sandbox`)

/**
 * Starts the four vendors' OAuth servers and APIs on one loopback port.
 * @throws {TypeError} for a vendor that is not there or has no callback address; and whatever `listen` says.
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { redirectUris, grantsIn, port = 0, host = '127.0.0.1', switches = {}, onError: report = warn } = options
  const vendors = await loadVendors()
  const named = new Set(vendors.map(({ name }) => name))
  for (const name of Object.keys(switches)) if (!named.has(name)) throw unknownVendor(name)
  for (const name of named) if (redirectUris(name).length === 0) throw new TypeError(`the sandbox needs a callback address for ${name}`)

  // The port comes first: an issuer has it in its name.
  const server = createServer()
  server.listen(port, host)
  await once(server, 'listening')
  const authority = `${host}:${(server.address() as AddressInfo).port}`
  const origin = `http://${authority}`

  const grants = grantsIn === undefined ? undefined : grantFile(grantsIn)
  const played = new Map(
    vendors.map(vendor => {
      const { name } = vendor
      return [name, playVendor(vendor, { origin, redirectUris: redirectUris(name), switches: switches[name], grants, report })]
    })
  )
  const setSwitches = switchesRoute({ host: authority, states: new Map([...played].map(([name, { state }]) => [name, state])) })

  async function answer(req: IncomingMessage, res: ServerResponse) {
    const target = req.url ?? ''
    const [, name = ''] = splitTarget(target).path.split('/')
    const rest = target.slice(name.length + 1)
    if (name === '_switches') return await setSwitches(req, res, '')
    if (rest === '/_switches') return await setSwitches(req, res, name)
    await (played.get(name)?.handle(req, res, rest) ?? sendJson(res, 404, { message: 'Nothing is played at this address' }))
  }

  server.on('request', (req, res) => {
    answer(req, res).catch(error => {
      report(error)
      if (res.headersSent) res.destroy()
      else sendJson(res, 500, { message: 'The sandbox itself is at fault', error: String(error) })
    })
  })

  return {
    origin,
    environment: Object.assign({}, ...[...played.values()].map(({ environment }) => environment)),
    apiKeys: Object.fromEntries(vendors.flatMap(({ name, api }) => (api.apiKey ? [[name, played.get(name)?.state.apiKey ?? '']] : []))),
    vendor(name) {
      const found = played.get(name)
      if (!found) throw unknownVendor(name)
      return found.control
    },
    async close() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
      grants?.flush()
    }
  }
}

const folder = new URL('./vendors/', import.meta.url)

/** Every vendor of the folder, in the order of their file names. A new file is a new vendor. */
async function loadVendors(): Promise<Vendor[]> {
  const files = (await readdir(folder)).filter(file => /(?<!\.d)\.[jt]s$/.test(file)).sort()
  const modules: { default: Vendor }[] = await Promise.all(files.map(file => import(new URL(file, folder).href)))
  return modules.map(module => module.default)
}
