import { type DestinationStream, pino } from 'pino'

/** Lines leave when there are so many characters of them, or so much later. A write for each would cost more than the line itself. */
const mostCharacters = 12 * 1024
const leaveAfterMs = 50
/** More than that, so that nothing is on its way when a process ends and writes the rest at once. */
const minLength = 15 * 1024

/**
 * Where log lines go: to stdout, without holding up the calls of everybody else, however slowly it is read.
 *
 * sonic-boom would gather lines by itself too, but it counts the bytes of all that it has gathered at each line that comes: with
 * 16 KiB that is most of what a line costs.
 */
export function logDestination(): DestinationStream & { flush(): void } {
  const stdout = pino.destination({ sync: false, minLength })
  let lines = ''
  let timer: NodeJS.Timeout | undefined
  let isLeaving = false

  function handOver(): void {
    clearTimeout(timer)
    timer = undefined
    stdout.write(lines)
    lines = ''
  }

  /** One piece after the other: what comes while one is written is the next. */
  function leave(): void {
    if (isLeaving || lines === '') return
    isLeaving = true
    handOver()
    stdout.flush()
  }
  stdout.on('drain', () => {
    isLeaving = false
    leave()
  })

  /** All that was said so far, before anything else happens: for a process that ends. */
  function flush(): void {
    if (lines !== '') handOver()
    stdout.flushSync()
  }
  process.once('exit', flush)

  return {
    flush,
    write(line) {
      lines += line
      if (lines.length >= mostCharacters) leave()
      else timer ??= setTimeout(leave, leaveAfterMs).unref()
    }
  }
}
