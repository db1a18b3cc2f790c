import 'reflect-metadata'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import t from 'tap'
import grantkeeper from '../../src/index.ts'
import { json } from '../support/fake-provider.ts'
import { connectedBrowser, hostOptions } from './support.ts'

t.test('in an application of NestJS the plugin needs nothing special', async t => {
  const { port, provider, options } = await hostOptions(t)
  class AppModule {}
  Module({})(AppModule)
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), { logger: false })
  t.teardown(() => app.close())
  app.setGlobalPrefix('api')
  app.enableCors({ origin: 'https://anywhere.example' })
  // Nest brings a Fastify of its own, with types of its own.
  await app.register(grantkeeper as never, options as never)
  await app.listen(port, '127.0.0.1')

  const url = `${options.publicUrl}/integrations`
  const browser = await connectedBrowser({ url })
  provider.api = ({ body }, response) => json(response, 200, { body: body.toString() })
  const response = await browser.fetch(`${url}/proxy/productboard/notes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"as": "it is"'
  })
  t.same(await response.json(), { body: '{"as": "it is"' })
  t.equal((await fetch(`${options.publicUrl}/api/nowhere`)).status, 404)
  const { grantkeeper: api } = app.getHttpAdapter().getInstance() as unknown as {
    grantkeeper: { connections(user: string): Promise<unknown[]> }
  }
  t.ok((await api.connections('ada')).length > 0)
})
