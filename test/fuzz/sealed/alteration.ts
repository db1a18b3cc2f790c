import fc from 'fast-check'

/** A change to a byte string: a flipped bit, a truncation, an insertion, a removed byte, a duplicate or a replacement. */
export const alteration: fc.Arbitrary<(bytes: Buffer) => Buffer> = fc.oneof(
  fc.nat().map(n => (bytes: Buffer) => flipBit(bytes, n % (bytes.length * 8))),
  fc.nat().map(n => (bytes: Buffer) => bytes.subarray(0, n % bytes.length)),
  fc.nat().map(n => (bytes: Buffer) => bytes.subarray(1 + (n % bytes.length))),
  fc.nat().map(n => (bytes: Buffer) => Buffer.concat([bytes.subarray(0, n % bytes.length), bytes.subarray((n % bytes.length) + 1)])),
  fc.uint8Array({ minLength: 1, maxLength: 20 }).map(extra => (bytes: Buffer) => Buffer.concat([bytes, extra])),
  fc.uint8Array({ minLength: 1, maxLength: 20 }).map(extra => (bytes: Buffer) => Buffer.concat([extra, bytes])),
  fc.constant((bytes: Buffer) => Buffer.concat([bytes, bytes])),
  fc.uint8Array({ maxLength: 120 }).map(other => () => Buffer.from(other))
)

function flipBit(bytes: Buffer, bit: number): Buffer {
  const altered = Buffer.from(bytes)
  altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7))
  return altered
}
