import { type DestinationStream, pino } from 'pino'

/** Lines leave when there are so many characters of them, or so much later. A write for each would cost more than the line itself. */
const mostCharacters = 16 * 1024
const leaveAfterMs = 50

/**
 * Where log lines go: to stdout, without holding up the calls of everybody else, however slowly it is read.
 *
 * `minLength` of sonic-boom would gather lines too, but it counts the bytes of all that it has gathered at each line that comes: with
 * 16 KiB that is most of what a line costs.
 */
export function logDestination(): DestinationStream & { flush(): void } {
  const stdout = pino.destination({ sync: false })
  let lines = ''
  let timer: NodeJS.Timeout | undefined

  function leave(): void {
    clearTimeout(timer)
    timer = undefined
    if (lines === '') return
    stdout.write(lines)
    lines = ''
  }

  /** All that was said so far, before anything else happens: for a process that ends. */
  function flush(): void {
    leave()
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
