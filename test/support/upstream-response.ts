import { GatewayError } from '../../src/core/errors.ts'
import type { PipeOutcome, ResponseHead, UpstreamResponse } from '../../src/core/proxy/upstream.ts'

export type FakeResponse = UpstreamResponse & { isDiscarded: boolean }

/** An upstream response with this body, after which it is complete or aborted. */
export const fakeResponse = ({ status, headers }: ResponseHead, body = '', outcome: PipeOutcome = 'complete'): FakeResponse => ({
  status,
  headers: { ...headers },
  isDiscarded: false,
  discard() {
    this.isDiscarded = true
  },
  peek: async maxBytes => {
    if (outcome === 'aborted') throw new GatewayError('provider_unavailable', 'aborted')
    return body.length <= maxBytes ? Buffer.from(body) : undefined
  },
  pipeTo: sink =>
    new Promise(resolve => {
      sink.on('finish', () => resolve(outcome))
      sink.end(body)
    })
})
