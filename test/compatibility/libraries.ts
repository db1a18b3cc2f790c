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

/** For those that keep a connection when they are given a place for it. */
const agent = new Agent({ keepAlive: true })

const bodyOf = ({ body, inChunks }: Request) => body && (inChunks ? Readable.from(splitIntoChunks(body)) : body)

/** As the Fetch standard has it. */
const initOf = ({ method, headers, body, inChunks }: Request) => ({
  method,
  headers,
  ...(body && (inChunks ? { body: ReadableStream.from(splitIntoChunks(body)), duplex: 'half' } : { body: new Uint8Array(body) }))
})

type Fetched = Pick<globalThis.Response, 'status' | 'arrayBuffer'> & { headers: Iterable<[string, string]> }
const responseOf = async (answer: Fetched): Promise<Response> => ({
  status: answer.status,
  headers: Object.fromEntries(answer.headers),
  body: Buffer.from(await answer.arrayBuffer())
})

const joinHeaders = (headers: object): Record<string, string> =>
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
      // It would keep a stream as a whole in memory, to send it again where a redirect leads.
      const data = { data: bodyOf(request), maxRedirects: 0 }
      const answer = await axios.request<Buffer>({ method, url, headers, ...data, responseType: 'arraybuffer', validateStatus: null })
      return { status: answer.status, headers: joinHeaders(answer.headers), body: answer.data }
    }
  },

  got: {
    retries: true,
    send: async request => {
      const { method, url, headers } = request
      const body = bodyOf(request)
      const answer = await got(url, { method, headers, ...(body && { body }), responseType: 'buffer', throwHttpErrors: false })
      return { status: answer.statusCode, headers: joinHeaders(answer.headers), body: Buffer.from(answer.body) }
    }
  },

  ky: {
    retries: true,
    send: async request => {
      // What it would not throw it would not repeat.
      const options = { ...(initOf(request) as RequestInit), throwHttpErrors: (status: number) => status === 503 }
      return responseOf(await ky(request.url, options))
    }
  },

  superagent: {
    send: async request => {
      const { method, url, headers, body, inChunks } = request
      const sent = superagent(method, url)
        .agent(agent)
        .set(headers)
        .ok(() => true)
        .buffer(true)
        .parse((response, done) => {
          const chunks: Buffer[] = []
          response.on('data', chunk => chunks.push(Buffer.from(chunk))).on('end', () => done(null, Buffer.concat(chunks)))
        })
      const answer = new Promise<superagent.Response>((resolve, reject) => {
        if (inChunks) Readable.from(splitIntoChunks(body as Buffer)).pipe(sent.on('response', resolve).on('error', reject) as never)
        // It would write a Buffer as JSON.
        else sent.send(headers['content-type'] === 'application/json' ? body?.toString() : body).then(resolve, reject)
      })
      const { status, headers: told, body: read } = await answer
      return { status, headers: joinHeaders(told), body: read }
    }
  },

  needle: {
    send: async request => {
      const { method, url, headers } = request
      const options = { headers, agent, parse: false, compressed: true } as const
      const answer = await needle(method.toLowerCase() as 'get', url, (bodyOf(request) ?? null) as never, options)
      return { status: answer.statusCode ?? 0, headers: joinHeaders(answer.headers), body: Buffer.from(answer.body) }
    }
  },

  'TanStack Query': {
    send: async request => {
      const work = () => fetch(request.url, initOf(request) as RequestInit).then(responseOf)
      if (request.method === 'GET') return queries.fetchQuery({ queryKey: [request.url], queryFn: work, staleTime: 0 })
      return queries.getMutationCache().build(queries, { mutationFn: work }).execute(undefined)
    }
  }
}
