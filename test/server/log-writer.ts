// Logs LINES lines and ends as END says, for test/server/log-destination.test.ts. The default exit timeout suits a busy machine.
import { pino } from 'pino'
import { LogDestination } from '../../src/server/log-destination.ts'

const { LINES = '1', END = 'exit', EXIT_TIMEOUT_MS = '60000' } = process.env
const logger = pino({}, new LogDestination({ exitTimeoutMs: Number(EXIT_TIMEOUT_MS) }))
for (let line = 0; line < Number(LINES); line++) logger.info({ line }, 'a line')
if (END === 'exit') process.exit(0)
if (END === 'throw') throw new Error('an error')
if (END === 'wait') {
  const keepAlive = setInterval(() => {}, 60_000)
  process.once('SIGTERM', () => clearInterval(keepAlive))
  process.stderr.write('all lines are logged\n')
}
