import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Provider } from '../core/provider/definition.ts'
import { environmentOf } from './gateway-environment.ts'
import { openGrantFile } from './grant-file.ts'
import { sendJson, splitTarget } from './http.ts'
import type { Switches } from './switches.ts'
import { createSwitchesRoute } from './switches-route.ts'
import type { Vendor } from './vendor.ts'
import { createVendorServer, type VendorControl } from './vendor-server.ts'

export type Sandbox = {
  /** Such as `http://127.0.0.1:43121`. */
  readonly origin: string
  /** Environment variables with which the gateway uses this sandbox: its URL, and the client of every vendor. */
  readonly environment: Readonly<Record<string, string>>
  /** The API key of each vendor that accepts keys, by vendor name. */
  readonly apiKeys: Readonly<Record<string, string>>
  /** What else to give: the fields of each vendor's keys and what it asks of users. Those without either are not in it. */
  readonly examples: Readonly<Record<string, Pick<VendorControl, 'fields' | 'parameters'>>>
  /** The names of the vendors. */
  readonly vendors: readonly string[]
  /** @throws {TypeError} if there is no such vendor */
  vendor(name: string): VendorControl
  /** Closes every connection, pending requests included. */
  close(): Promise<void>
}

export type SandboxOptions = {
  /** The vendors to play. */
  readonly definitions: readonly Provider[]
  /** The exact callback URLs of a vendor. */
  readonly redirectUris: (vendor: string) => readonly string[]
  /** Default: any free port. */
  readonly port?: number
  readonly host?: '127.0.0.1'
  /** File that keeps the vendors' grants for the next start. Default: none, grants stay in memory. */
  readonly grantFile?: string
  readonly switches?: Readonly<Partial<Record<string, Partial<Switches>>>>
  /** Called with errors of the sandbox itself. Default: emits a process warning. */
  readonly onError?: (error: unknown) => void
}

const warn = (error: unknown) =>
  process.emitWarning(error instanceof Error ? (error.stack ?? error.message) : String(error), 'SandboxWarning')

const unknownVendor = (name: string) => new TypeError(`there is no vendor ${JSON.stringify(name)} in the sandbox`)

/**
 * Starts the vendors' OAuth servers and APIs on one loopback port.
 * @throws {TypeError} for an unknown vendor, or one without a callback URL
 * @throws {Error} from `listen`, such as `EADDRINUSE`
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { definitions, redirectUris, grantFile, port = 0, host = '127.0.0.1', switches = {}, onError: report = warn } = options
  const names = new Set(definitions.map(({ name }) => name))
  for (const name of Object.keys(switches)) if (!names.has(name)) throw unknownVendor(name)
  for (const name of names) if (redirectUris(name).length === 0) throw new TypeError(`the sandbox needs a callback URL for ${name}`)
  const loadData = await findVendorData()

  // Listens before it creates the vendors, because their URLs contain the port.
  const server = createServer()
  server.listen(port, host)
  await once(server, 'listening')
  const authority = `${host}:${(server.address() as AddressInfo).port}`
  const origin = `http://${authority}`

  const grants = grantFile === undefined ? undefined : openGrantFile(grantFile)
  const servers = new Map(
    definitions.map(definition => {
      const { name } = definition
      const own = { switches: switches[name], redirectUris: () => redirectUris(name), loadData: () => loadData(name) }
      return [name, createVendorServer(definition, { origin, grants, ...own })]
    })
  )
  const controls = [...servers.values()].map(({ control }) => control)
  const examples = Object.fromEntries(
    controls
      .filter(({ fields, parameters }) => Object.keys({ ...fields, ...parameters }).length > 0)
      .map(({ definition, fields, parameters }) => [definition.name, { fields, parameters }])
  )
  const setSwitches = createSwitchesRoute({ host: authority, states: new Map([...servers].map(([name, { state }]) => [name, state])) })

  async function handle(req: IncomingMessage, res: ServerResponse) {
    const target = req.url ?? ''
    const [, name = ''] = splitTarget(target).path.split('/')
    const rest = target.slice(name.length + 1)
    if (name === '') return sendJson(res, 200, { vendors: [...names], examples })
    if (name === '_switches') return await setSwitches(req, res, '')
    if (rest === '/_switches') return await setSwitches(req, res, name)
    await (servers.get(name)?.handle(req, res, rest.slice(1)) ?? sendJson(res, 404, { message: 'There is no vendor at this URL' }))
  }

  server.on('request', (req, res) => {
    handle(req, res).catch(error => {
      report(error)
      if (res.headersSent) res.destroy()
      else sendJson(res, 500, { message: 'The sandbox itself failed', error: String(error) })
    })
  })

  return {
    origin,
    environment: environmentOf(origin, controls),
    examples,
    apiKeys: Object.fromEntries(
      controls.flatMap(({ definition, apiKey }) => (definition.methods.apiKey ? [[definition.name, apiKey]] : []))
    ),
    vendors: [...servers.keys()],
    vendor(name) {
      const server = servers.get(name)
      if (!server) throw unknownVendor(name)
      return server.control
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

const vendorFolder = new URL('./vendors/', import.meta.url)

/** @returns what loads the data of a vendor, if it has some */
async function findVendorData(): Promise<(name: string) => Promise<Vendor | undefined>> {
  const files = (await readdir(vendorFolder)).filter(file => /(?<!\.d)\.[jt]s$/.test(file))
  return async name => {
    const file = files.find(file => file.replace(/\.[jt]s$/, '') === name)
    return file === undefined ? undefined : ((await import(new URL(file, vendorFolder).href)) as { default: Vendor }).default
  }
}
