import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { freePort } from '../support/free-port.ts'
import { startNode, stopped } from '../support/node-process.ts'

const server = join(import.meta.dirname, '..', '..', 'src', 'cli', 'start.ts')

/**
 * One call on a connection that is kept.
 * @returns the code of what went wrong with it. A connection that the kernel had taken for a server that then stopped listening is
 * reset before anybody serves it: that is told apart, since it is the same as one that was refused.
 */
const call = (agent: Agent, url: string) =>
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
  t.test(`clients that call steadily, with no balancer between, lose nothing when it leaves, with a delay of ${delay} s`, async t => {
    const port = await freePort()
    const started = await startNode(t, server, {
      PORT: String(port),
      DATA_DIR: t.testdir(),
      LOG_LEVEL: 'silent',
      SHUTDOWN_DELAY: delay,
      SHUTDOWN_TIMEOUT: '10'
    })
    const url = `http://127.0.0.1:${port}/health/live`
    const outcomes: string[] = []
    let count = 0
    // Some without a pause, and some that are idle most of the time.
    const clients = Array.from({ length: 24 }, async (_, i) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      for (;;) {
        const fault = await call(agent, url)
        count++
        if (fault) {
          agent.destroy()
          return void outcomes.push(fault)
        }
        await sleep(i % 12 === 0 ? 0 : i * 25)
      }
    })
    while (count < 500) await sleep(20)
    t.equal(await stopped(started), 0)
    await Promise.all(clients)
    t.strictSame(new Set(outcomes), new Set(['refused']), `after ${count} calls each sees nothing but a server that is not there`)
  })
}
