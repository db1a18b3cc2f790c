/** Writes per second are bounded: a terminal over a slow line must not hold up the work. */
const intervalMs = 100
/** Of an ECMA-48 terminal: erase the line. */
const clearLine = '\r\u001b[2K'

export type Progress = {
  /** Replaces the line. Most calls of a fast loop are ignored. */
  show(text: string): void
  /** Removes the line. */
  end(): void
}

/** How far a long command is, as one line on standard error that changes. Nothing is written unless that is a terminal. */
export function openProgress(stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write'> = process.stderr): Progress {
  let nextMs = 0
  let isShown = false
  return {
    show(text) {
      if (!stream.isTTY || performance.now() < nextMs) return
      nextMs = performance.now() + intervalMs
      isShown = true
      stream.write(clearLine + text)
    },
    end() {
      if (isShown) stream.write(clearLine)
      isShown = false
      nextMs = 0
    }
  }
}
