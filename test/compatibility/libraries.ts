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
import { type Client, inPieces, type Request, type Response } from './client.ts'

/** For those that keep a connection when they are given a place for it. */
const agent = new Agent({ keepAlive: true })

const bodyOf = ({ body, inChunks }: Request) => body && (inChunks ? Readable.from(inPieces(body)) : body)

/** As the Fetch standard has it. */
const initOf = ({ method, headers, body, inChunks }: Request) => ({
  method,
  headers,
  ...(body && (inChunks ? { body: ReadableStream.from(inPieces(body)), duplex: 'half' } : { body: new Uint8Array(body) }))
})

type Fetched = Pick<globalThis.Response, 'status' | 'arrayBuffer'> & { headers: Iterable<[string, string]> }
const fetched = async (answer: Fetched): Promise<Response> => ({
  status: answer.status,
  headers: Object.fromEntries(answer.headers),
  body: Buffer.from(await answer.arrayBuffer())
})

const inOneText = (headers: object): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))

const queries = new QueryClient()

export const libraries: Readonly<Record<string, Client>> = {
  fetch: { call: async request => fetched(await fetch(request.url, initOf(request) as RequestInit)) },

  undici: { call: async request => fetched(await undici.fetch(request.url, initOf(request) as undici.RequestInit)) },

  'node-fetch': {
    call: async request => {
      const { method, url, headers } = request
      const body = bodyOf(request)
      return fetched(await nodeFetch(url, { method, headers, agent, ...(body && { body }) }))
    }
  },

  axios: {
    call: async request => {
      const { method, url, headers } = request
      // It would keep a stream as a whole in memory, to send it again where a redirect leads.
      const data = { data: bodyOf(request), maxRedirects: 0 }
      const answer = await axios.request<Buffer>({ method, url, headers, ...data, responseType: 'arraybuffer', validateStatus: null })
      return { status: answer.status, headers: inOneText(answer.headers), body: answer.data }
    }
  },

  got: {
    repeats: true,
    call: async request => {
      const { method, url, headers } = request
      const body = bodyOf(request)
      const answer = await got(url, { method, headers, ...(body && { body }), responseType: 'buffer', throwHttpErrors: false })
      return { status: answer.statusCode, headers: inOneText(answer.headers), body: Buffer.from(answer.body) }
    }
  },

  ky: {
    repeats: true,
    call: async request => {
      // What it would not throw it would not repeat.
      const options = { ...(initOf(request) as RequestInit), throwHttpErrors: (status: number) => status === 503 }
      return fetched(await ky(request.url, options))
    }
  },

  superagent: {
    call: async request => {
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
        if (inChunks) Readable.from(inPieces(body as Buffer)).pipe(sent.on('response', resolve).on('error', reject) as never)
        // It would write a Buffer as JSON.
        else sent.send(headers['content-type'] === 'application/json' ? body?.toString() : body).then(resolve, reject)
      })
      const { status, headers: told, body: read } = await answer
      return { status, headers: inOneText(told), body: read }
    }
  },

  needle: {
    call: async request => {
      const { method, url, headers } = request
      const options = { headers, agent, parse: false, compressed: true } as const
      const answer = await needle(method.toLowerCase() as 'get', url, (bodyOf(request) ?? null) as never, options)
      return { status: answer.statusCode ?? 0, headers: inOneText(answer.headers), body: Buffer.from(answer.body) }
    }
  },

  'TanStack Query': {
    call: async request => {
      const work = () => fetch(request.url, initOf(request) as RequestInit).then(fetched)
      if (request.method === 'GET') return queries.fetchQuery({ queryKey: [request.url], queryFn: work, staleTime: 0 })
      return queries.getMutationCache().build(queries, { mutationFn: work }).execute(undefined)
    }
  }
}
