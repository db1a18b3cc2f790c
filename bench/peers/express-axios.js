// As the tutorials do it: bodies parsed on the way in, answers parsed and written again on the way out.
import { Agent } from 'node:http'
import axios from 'axios'
import express from 'express'
import { app, signedIn } from './express-sessions.js'

const api = axios.create({ baseURL: `${process.env.UPSTREAM}/api`, httpAgent: new Agent({ keepAlive: true }), validateStatus: () => true })

app.use('/proxy/productboard', signedIn, express.json({ limit: '1mb' }), async (request, response) => {
  const { method, url, body } = request
  const headers = { authorization: `Bearer ${request.session.accessToken}` }
  const answer = await api.request({ method, url, data: body, headers })
  response.status(answer.status).json(answer.data)
})
app.listen(Number(process.env.PORT), '127.0.0.1')
