import fc from 'fast-check'

/** Another string of bytes than the one given: a bit turned, an end cut off or put on, a piece taken out, doubled or replaced. */
export const alteration: fc.Arbitrary<(bytes: Buffer) => Buffer> = fc.oneof(
  fc.nat().map(n => (bytes: Buffer) => turned(bytes, n % (bytes.length * 8))),
  fc.nat().map(n => (bytes: Buffer) => bytes.subarray(0, n % bytes.length)),
  fc.nat().map(n => (bytes: Buffer) => bytes.subarray(1 + (n % bytes.length))),
  fc.nat().map(n => (bytes: Buffer) => Buffer.concat([bytes.subarray(0, n % bytes.length), bytes.subarray((n % bytes.length) + 1)])),
  fc.uint8Array({ minLength: 1, maxLength: 20 }).map(more => (bytes: Buffer) => Buffer.concat([bytes, more])),
  fc.uint8Array({ minLength: 1, maxLength: 20 }).map(more => (bytes: Buffer) => Buffer.concat([more, bytes])),
  fc.constant((bytes: Buffer) => Buffer.concat([bytes, bytes])),
  fc.uint8Array({ maxLength: 120 }).map(other => () => Buffer.from(other))
)

function turned(bytes: Buffer, bit: number): Buffer {
  const altered = Buffer.from(bytes)
  altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7))
  return altered
}
