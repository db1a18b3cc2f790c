import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import t from 'tap'
import { commandFile } from '../support/command.ts'
import { freePort } from '../support/free-port.ts'
import { killOnExit, stopProcess } from '../support/node-process.ts'
import { waitForClose } from '../support/raw.ts'

t.test(
  'SEC-36: connections are refused before descriptors run out, and logged once',
  { skip: !existsSync('/proc/self/limits') && 'the descriptor limit is only known from /proc' },
  async t => {
    const port = await freePort()
    const child = spawn('sh', ['-c', `ulimit -n 200; exec "${process.execPath}" "${commandFile}" start`], {
      env: { PATH: process.env.PATH ?? '', PORT: String(port), DATA_DIR: t.testdir() },
      stdio: ['ignore', 'pipe', 'inherit']
    })
    killOnExit(child)
    t.teardown(() => stopProcess({ child }, 'SIGKILL'))
    let output = ''
    const outputMatches = async (pattern: RegExp) => {
      while (!pattern.test(output)) await once(child.stdout as NodeJS.ReadableStream, 'data')
    }
    child.stdout?.setEncoding('utf8').on('data', chunk => {
      output += chunk
    })
    await outputMatches(/ is ready: /)
    const sockets = Array.from({ length: 120 }, () => connect(port, '127.0.0.1'))
    t.teardown(() => {
      for (const socket of sockets) socket.destroy()
    })
    const closes = sockets.map(socket => waitForClose(socket.resume()))
    await outputMatches(/"msg":"connections refused/)
    await Promise.any(closes)
    const lines = output.split('\n').filter(line => line.includes('connections refused'))
    t.equal(lines.length, 1)
    t.match(JSON.parse(lines[0] ?? ''), { level: 50, descriptors: 200, connections: 100, msg: /ulimit -n/ })
    for (const socket of sockets) socket.destroy()
    await Promise.all(closes)
    for (let status = 0; status !== 200; )
      status = await fetch(`http://127.0.0.1:${port}/health/ready`).then(
        r => r.status,
        () => 0
      )
    t.pass('the gateway still serves')
  }
)
