import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../../../src/core/errors.ts'
import type { StreamedBody } from '../../../src/core/proxy/upstream.ts'

type Source = {
  /** What of it was read already. */
  readonly begun: readonly Buffer[]
  readonly maxBytes: number
  /** What is left of it is nobody's. */
  readonly discard: () => void
}

/** A body that is too large to be kept. It is read as it is asked for, and ends with an error past `maxBytes`. */
export class Upload implements StreamedBody, AsyncIterator<Buffer, undefined> {
  readonly #request: IncomingMessage
  readonly #maxBytes: number
  readonly #discard: () => void
  readonly #come: Buffer[]
  #next: PromiseWithResolvers<IteratorResult<Buffer, undefined>> | undefined
  #size = 0
  #hasEnded = false
  #isReleased = false
  #fault: Error | undefined

  constructor(request: IncomingMessage, { begun, maxBytes, discard }: Source) {
    this.#request = request
    this.#come = [...begun]
    this.#maxBytes = maxBytes
    this.#discard = discard
    request.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose).pause()
  }

  get isWaitingForClient(): boolean {
    return this.#next !== undefined
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Buffer, undefined>> {
    if (this.#fault) return Promise.reject(this.#fault)
    const chunk = this.#come.shift()
    if (chunk) return this.#counted(chunk)
    if (this.#hasEnded) return Promise.resolve({ done: true, value: undefined })
    this.#next = Promise.withResolvers()
    this.#request.resume()
    return this.#next.promise
  }

  async return(): Promise<IteratorResult<Buffer, undefined>> {
    this.release()
    return { done: true, value: undefined }
  }

  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.#come.length = 0
    const request = this.#request
    request.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError).off('close', this.#onClose)
    this.#fail(new Error('nobody takes the rest of this body'))
    this.#discard()
  }

  async #counted(chunk: Buffer): Promise<IteratorResult<Buffer, undefined>> {
    this.#size += chunk.length
    if (this.#size > this.#maxBytes) throw bodyTooLarge(this.#maxBytes)
    return { done: false, value: chunk }
  }

  #fail(error: Error): void {
    if (this.#hasEnded) return
    this.#fault ??= error
    this.#next?.reject(this.#fault)
    this.#next = undefined
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#request.pause()
    if (!this.#next) {
      this.#come.push(chunk)
      return
    }
    const { resolve } = this.#next
    this.#next = undefined
    resolve(this.#counted(chunk))
  }

  readonly #onEnd = (): void => {
    this.#hasEnded = true
    this.#next?.resolve({ done: true, value: undefined })
    this.#next = undefined
  }

  readonly #onError = (cause: Error): void => this.#fail(bodyTruncated(cause))

  /** Without an end: the client has gone. */
  readonly #onClose = (): void => this.#fail(bodyTruncated())
}

export const bodyTooLarge = (maxBytes: number): GatewayError =>
  new GatewayError('body_too_large', `The body is larger than the ${Math.floor(maxBytes / 1024)} KiB that are forwarded to this provider.`)

export const bodyTruncated = (cause?: Error): GatewayError =>
  cause instanceof GatewayError ? cause : new GatewayError('request_malformed', 'The body broke off before its end.', { cause })
