import { Agent } from 'node:http'
import { createProxyMiddleware } from 'http-proxy-middleware'
import { app, signedIn } from './express-sessions.js'

const proxy = createProxyMiddleware({
  target: `${process.env.UPSTREAM}/api`,
  changeOrigin: true,
  agent: new Agent({ keepAlive: true }),
  on: {
    proxyReq(upstream, request) {
      upstream.removeHeader('cookie')
      upstream.setHeader('authorization', `Bearer ${request.session.accessToken}`)
    }
  }
})

app.use('/proxy/productboard', signedIn, proxy)
app.listen(Number(process.env.PORT), '127.0.0.1')
