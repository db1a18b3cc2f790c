// As the README of @fastify/http-proxy has it.
import httpProxy from '@fastify/http-proxy'
import fastify from 'fastify'

const { PORT, UPSTREAM } = process.env
const app = fastify()
await app.register(httpProxy, { upstream: UPSTREAM, prefix: '/proxy/productboard', rewritePrefix: '/api' })
await app.listen({ host: '127.0.0.1', port: Number(PORT) })
