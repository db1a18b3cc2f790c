import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ephemeral ports, which the system uses for outgoing connections and port 0 (Linux: from 32768). */
const [lowest, highest] = [10_240, 32_767]
/**
 * Test files that run in parallel have separate ranges, so that none takes a port that another has chosen and not bound yet.
 * A file that runs alone has the last range.
 */
const ranges = 8
const size = Math.floor((highest + 1 - lowest) / ranges)
const range = Number(process.env.TAP_JOB_ID ?? ranges - 1) % ranges

let last = randomInt(size)

/** A free port of 127.0.0.1. */
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
