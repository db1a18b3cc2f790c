import { Agent, get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { startGatewayProcess } from '../support/command.ts'
import { freePort } from '../support/free-port.ts'
import { stopProcess } from '../support/node-process.ts'

/**
 * Sends one request on a keep-alive connection.
 * @returns the error code, if any. The kernel resets connections that it accepted but the server never took from the backlog: a reset on
 * a new connection therefore counts as refused.
 */
const send = (agent: Agent, url: string) =>
  new Promise<string | undefined>(resolve => {
    const request = get(url, { agent }, response =>
      response
        .resume()
        .on('end', () => resolve(undefined))
        .on('error', error => resolve(error.message))
    )
    request.on('error', (error: NodeJS.ErrnoException) => {
      const isRefused = error.code === 'ECONNREFUSED' || (error.code === 'ECONNRESET' && !request.reusedSocket)
      resolve(isRefused ? 'refused' : error.code)
    })
  })

for (const delay of ['0', '1']) {
  t.test(`a shutdown with SHUTDOWN_DELAY=${delay} loses no request of keep-alive clients`, async t => {
    const port = await freePort()
    const started = await startGatewayProcess(t, {
      PORT: String(port),
      DATA_DIR: t.testdir(),
      LOG_LEVEL: 'silent',
      SHUTDOWN_DELAY: delay,
      SHUTDOWN_TIMEOUT: '10'
    })
    const url = `http://127.0.0.1:${port}/health/live`
    const outcomes: string[] = []
    let count = 0
    // Some clients never pause, others are idle most of the time.
    const clients = Array.from({ length: 24 }, async (_, i) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      for (;;) {
        const error = await send(agent, url)
        count++
        if (error) {
          agent.destroy()
          return void outcomes.push(error)
        }
        await sleep(i % 12 === 0 ? 0 : i * 25)
      }
    })
    while (count < 500) await sleep(20)
    t.equal(await stopProcess(started), 0)
    await Promise.all(clients)
    t.strictSame(new Set(outcomes), new Set(['refused']), `after ${count} requests each client sees a refused connection only`)
  })
}
