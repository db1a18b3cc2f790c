import { Agent } from 'node:http'
import { Readable } from 'node:stream'
import { QueryClient } from '@tanstack/query-core'
import axios from 'axios'
import got from 'got'
import ky from 'ky'
import needle from 'needle'
import nodeFetch from 'node-fetch'
import superagent from 'superagent'
import * as undici from 'undici'
import { type Client, type Request, type Response, splitIntoChunks } from './client.ts'

/** For libraries that reuse connections only with an agent. */
const agent = new Agent({ keepAlive: true })

const bodyOf = ({ body, inChunks }: Request) => body && (inChunks ? Readable.from(splitIntoChunks(body)) : body)

/** A `RequestInit` of the Fetch standard. */
const initOf = ({ method, headers, body, inChunks }: Request) => ({
  method,
  headers,
  ...(body && (inChunks ? { body: ReadableStream.from(splitIntoChunks(body)), duplex: 'half' } : { body: new Uint8Array(body) }))
})

type Fetched = Pick<globalThis.Response, 'status' | 'arrayBuffer'> & { headers: Iterable<[string, string]> }
const responseOf = async (response: Fetched): Promise<Response> => ({
  status: response.status,
  headers: Object.fromEntries(response.headers),
  body: Buffer.from(await response.arrayBuffer())
})

const stringifyHeaders = (headers: object): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))

const queries = new QueryClient()

export const libraries: Readonly<Record<string, Client>> = {
  fetch: { send: async request => responseOf(await fetch(request.url, initOf(request) as RequestInit)) },

  undici: { send: async request => responseOf(await undici.fetch(request.url, initOf(request) as undici.RequestInit)) },

  'node-fetch': {
    send: async request => {
      const { method, url, headers } = request
      const body = bodyOf(request)
      return responseOf(await nodeFetch(url, { method, headers, agent, ...(body && { body }) }))
    }
  },

  axios: {
    send: async request => {
      const { method, url, headers } = request
      // With redirects enabled, axios buffers a whole stream to resend it.
      const data = { data: bodyOf(request), maxRedirects: 0 }
      const response = await axios.request<Buffer>({ method, url, headers, ...data, responseType: 'arraybuffer', validateStatus: null })
      return { status: response.status, headers: stringifyHeaders(response.headers), body: response.data }
    }
  },

  got: {
    retries: true,
    send: async request => {
      const { method, url, headers } = request
      const body = bodyOf(request)
      const response = await got(url, { method, headers, ...(body && { body }), responseType: 'buffer', throwHttpErrors: false })
      return { status: response.statusCode, headers: stringifyHeaders(response.headers), body: Buffer.from(response.body) }
    }
  },

  ky: {
    retries: true,
    send: async request => {
      // ky retries only statuses for which it throws.
      const options = { ...(initOf(request) as RequestInit), throwHttpErrors: (status: number) => status === 503 }
      return responseOf(await ky(request.url, options))
    }
  },

  superagent: {
    send: async request => {
      const { method, url, headers, body, inChunks } = request
      const pending = superagent(method, url)
        .agent(agent)
        .set(headers)
        .ok(() => true)
        .buffer(true)
        .parse((response, done) => {
          const chunks: Buffer[] = []
          response.on('data', chunk => chunks.push(Buffer.from(chunk))).on('end', () => done(null, Buffer.concat(chunks)))
        })
      const response = await new Promise<superagent.Response>((resolve, reject) => {
        if (inChunks) Readable.from(splitIntoChunks(body as Buffer)).pipe(pending.on('response', resolve).on('error', reject) as never)
        // With this content type, superagent would serialize a Buffer as JSON.
        else pending.send(headers['content-type'] === 'application/json' ? body?.toString() : body).then(resolve, reject)
      })
      return { status: response.status, headers: stringifyHeaders(response.headers), body: response.body }
    }
  },

  needle: {
    send: async request => {
      const { method, url, headers } = request
      const options = { headers, agent, parse: false, compressed: true } as const
      const response = await needle(method.toLowerCase() as 'get', url, (bodyOf(request) ?? null) as never, options)
      return { status: response.statusCode ?? 0, headers: stringifyHeaders(response.headers), body: Buffer.from(response.body) }
    }
  },

  'TanStack Query': {
    send: async request => {
      const fetchOnce = () => fetch(request.url, initOf(request) as RequestInit).then(responseOf)
      if (request.method === 'GET') return queries.fetchQuery({ queryKey: [request.url], queryFn: fetchOnce, staleTime: 0 })
      return queries.getMutationCache().build(queries, { mutationFn: fetchOnce }).execute(undefined)
    }
  }
}
