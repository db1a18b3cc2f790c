import type { StreamedBody } from '../../src/core/proxy/upstream.ts'

/** A body of these pieces, as they come. */
export function streamed(pieces: AsyncIterable<Uint8Array>, noted: { isAwaited?: boolean; released?: number } = {}): StreamedBody {
  return {
    [Symbol.asyncIterator]: () => pieces[Symbol.asyncIterator](),
    get isWaitingForClient() {
      return noted.isAwaited ?? false
    },
    release: () => {
      noted.released = (noted.released ?? 0) + 1
    }
  }
}
