import type { StreamedBody } from '../../src/core/proxy/upstream.ts'

/** A request body of these chunks. */
export function streamedBody(chunks: AsyncIterable<Uint8Array>): StreamedBody {
  return {
    [Symbol.asyncIterator]: () => chunks[Symbol.asyncIterator](),
    isWaitingForClient: false,
    release: () => {}
  }
}
