import type { Readable } from 'node:stream'
import { GatewayError } from '../../../src/core/errors.ts'
import type { StreamedBody } from '../../../src/core/proxy/upstream.ts'

type UploadOptions = {
  /** Read already, before the rest of the request. */
  readonly chunks: readonly Buffer[]
  readonly maxBytes: number
  /** Called on release: the rest of the body is to be read and discarded. */
  readonly discard: () => void
}

/** A body that is too large to buffer. It is read on demand (backpressure), and fails past `maxBytes`. */
export class Upload implements StreamedBody, AsyncIterator<Buffer, undefined> {
  readonly #request: Readable
  readonly #maxBytes: number
  readonly #discard: () => void
  readonly #buffer: Buffer[]
  #pending: PromiseWithResolvers<IteratorResult<Buffer, undefined>> | undefined
  #size = 0
  #hasEnded = false
  #isReleased = false
  #error: Error | undefined

  constructor(request: Readable, { chunks, maxBytes, discard }: UploadOptions) {
    this.#request = request
    this.#buffer = [...chunks]
    this.#maxBytes = maxBytes
    this.#discard = discard
    request.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose).pause()
  }

  get isWaitingForClient(): boolean {
    return this.#pending !== undefined
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Buffer, undefined>> {
    if (this.#error) return Promise.reject(this.#error)
    const chunk = this.#buffer.shift()
    if (chunk) return this.#count(chunk)
    if (this.#hasEnded) return Promise.resolve({ done: true, value: undefined })
    this.#pending = Promise.withResolvers()
    this.#request.resume()
    return this.#pending.promise
  }

  async return(): Promise<IteratorResult<Buffer, undefined>> {
    this.release()
    return { done: true, value: undefined }
  }

  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.#buffer.length = 0
    const request = this.#request
    request.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError).off('close', this.#onClose)
    this.#fail(new Error('the body was released'))
    this.#discard()
  }

  async #count(chunk: Buffer): Promise<IteratorResult<Buffer, undefined>> {
    this.#size += chunk.length
    if (this.#size > this.#maxBytes) throw bodyTooLarge(this.#maxBytes)
    return { done: false, value: chunk }
  }

  #fail(error: Error): void {
    if (this.#hasEnded) return
    this.#error ??= error
    this.#pending?.reject(this.#error)
    this.#pending = undefined
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#request.pause()
    if (!this.#pending) {
      this.#buffer.push(chunk)
      return
    }
    const { resolve } = this.#pending
    this.#pending = undefined
    resolve(this.#count(chunk))
  }

  readonly #onEnd = (): void => {
    this.#hasEnded = true
    this.#pending?.resolve({ done: true, value: undefined })
    this.#pending = undefined
  }

  readonly #onError = (cause: Error): void => this.#fail(bodyTruncated(cause))

  /** Without `end` before it: the client has disconnected. */
  readonly #onClose = (): void => this.#fail(bodyTruncated())
}

export const bodyTooLarge = (maxBytes: number): GatewayError =>
  new GatewayError(
    'body_too_large',
    `The request body is larger than the ${Math.floor(maxBytes / 1024)} KiB that are forwarded to this provider.`
  )

export const bodyTruncated = (cause?: Error): GatewayError =>
  cause instanceof GatewayError ? cause : new GatewayError('request_malformed', 'The request body was truncated.', { cause })
