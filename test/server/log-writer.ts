// Says LINES lines and ends as END says, for test/server/log-destination.test.ts. However slow its reader's machine, he gets them all.
import { pino } from 'pino'
import { logDestination } from '../../src/server/log-destination.ts'

const { LINES = '1', END = 'exit' } = process.env
const logger = pino({}, logDestination({ lastMs: 60_000 }))
for (let line = 0; line < Number(LINES); line++) logger.info({ line }, 'said')
if (END === 'exit') process.exit(0)
if (END === 'throw') throw new Error('a fault')
if (END === 'wait') {
  const life = setInterval(() => {}, 60_000)
  process.once('SIGTERM', () => clearInterval(life))
  process.stderr.write('goes on\n')
}
