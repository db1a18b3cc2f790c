import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the range out of which the system serves outgoing connections and port 0 (Linux: from 32768 on). */
const [lowest, highest] = [10_240, 32_767]
/** Files that run at once have ranges of their own: none takes what another has chosen and not bound yet. A file that runs alone has the last. */
const ranges = 8
const size = Math.floor((highest + 1 - lowest) / ranges)
const range = Number(process.env.TAP_JOB_ID ?? ranges - 1) % ranges

let last = randomInt(size)

/** A port of 127.0.0.1 that nobody listens on now. */
export async function freePort(): Promise<number> {
  last = (last + 1) % size
  const port = lowest + range * size + last
  const probe = createServer()
  try {
    probe.listen(port, '127.0.0.1')
    await once(probe, 'listening')
    probe.close()
    await once(probe, 'close')
    return port
  } catch {
    return freePort()
  }
}
