import type { PipeOutcome, ResponseHead, UpstreamResponse } from '../../src/core/proxy/upstream.ts'

export type FakeResponse = UpstreamResponse & { isDiscarded: boolean }

/** A response that is complete from the beginning, or that aborts after this body. */
export const fakeResponse = ({ status, headers }: ResponseHead, body = '', outcome: PipeOutcome = 'complete'): FakeResponse => ({
  status,
  headers: { ...headers },
  isDiscarded: false,
  discard() {
    this.isDiscarded = true
  },
  pipeTo: sink =>
    new Promise(resolve => {
      sink.on('finish', () => resolve(outcome))
      sink.end(body)
    })
})
