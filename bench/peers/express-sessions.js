// As the READMEs of express-session and connect-redis have it. The sign-in itself is left out: it has put the token into the session.
import { randomUUID } from 'node:crypto'
import { RedisStore } from 'connect-redis'
import express from 'express'
import session from 'express-session'
import { createClient } from 'redis'

const client = await createClient({ url: process.env.REDIS_URL }).connect()

export const app = express()
app.disable('x-powered-by')
app.use(session({ store: new RedisStore({ client }), secret: randomUUID(), resave: false, saveUninitialized: false }))

app.post('/login', (request, response) => {
  request.session.accessToken = `access-${randomUUID()}`
  response.sendStatus(204)
})

export function signedIn(request, response, next) {
  if (request.session.accessToken) next()
  else response.sendStatus(401)
}
