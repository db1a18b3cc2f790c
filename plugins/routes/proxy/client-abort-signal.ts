import type { ServerResponse } from 'node:http'
import type { AbortSignalLike } from '../../../src/core/proxy/upstream.ts'

/**
 * Aborts when the client disconnects before its response has ended. It is created first thing: a client that disconnects while its
 * session is looked up emits no later event. An AbortController costs a small request several hundredths of its time.
 */
export class ClientAbortSignal implements AbortSignalLike {
  readonly #listeners: Array<() => void> = []
  #aborted: boolean

  constructor(response: ServerResponse) {
    this.#aborted = response.destroyed
    response.on('close', () => {
      if (!response.writableFinished) this.#abort()
    })
  }

  get aborted(): boolean {
    return this.#aborted
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.push(listener)
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const at = this.#listeners.indexOf(listener)
    if (at !== -1) this.#listeners.splice(at, 1)
  }

  #abort(): void {
    this.#aborted = true
    for (const listener of this.#listeners.splice(0)) listener()
  }
}
