import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto'

// A sealed record: format (1) | key id (4) | nonce (12) | ciphertext | tag (16).
const format = 1
const keyIdBytes = 4
const nonceBytes = 12
const tagBytes = 16

/** Length of the header: format, key id and nonce. Each seal draws a new nonce, so the header identifies one write of a record. */
export const headerBytes = 1 + keyIdBytes + nonceBytes

export type Cipher = {
  /** @param context identifies the record and its owner. The record opens only with the same context. */
  seal(plain: Buffer, context: string): Buffer
  /** @returns `undefined` when the ring lacks the key, the context differs, or the bytes were altered */
  open(sealed: Buffer, context: string): Buffer | undefined
  /** Whether it is sealed with the ring's first key, by its header alone: it may still not open. */
  isNewest(sealed: Buffer): boolean
}

/**
 * AES-256-GCM (NIST SP 800-38D) with a ring of 32-byte keys: the first key seals, all keys open.
 *
 * Each context has its own key, derived with HMAC-SHA-256. The limit of 2^32 random nonces a key (SP 800-38D §8.3) therefore applies to
 * each record and not to the whole installation, and a record that is moved does not open, independently of its associated data.
 * @throws {TypeError} when the ring is empty
 */
export function createCipher(ring: readonly Buffer[]): Cipher {
  const [newest] = ring
  if (!newest) throw new TypeError('a cipher needs at least one key')
  const keyById = new Map(ring.map(key => [idOf(key).toString('hex'), key]))
  const newestId = idOf(newest)

  return {
    seal(plain, context) {
      const header = Buffer.concat([Buffer.of(format), newestId, randomBytes(nonceBytes)])
      const cipher = createCipheriv('aes-256-gcm', derive(newest, context), header.subarray(1 + keyIdBytes))
      cipher.setAAD(associatedData(header, context))
      return Buffer.concat([header, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
    },

    open(sealed, context) {
      if (sealed.length < headerBytes + tagBytes || sealed[0] !== format) return undefined
      const header = sealed.subarray(0, headerBytes)
      const key = keyById.get(header.toString('hex', 1, 1 + keyIdBytes))
      if (!key) return undefined
      const cipher = createDecipheriv('aes-256-gcm', derive(key, context), header.subarray(1 + keyIdBytes), { authTagLength: tagBytes })
      cipher.setAAD(associatedData(header, context))
      cipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
      const plain = cipher.update(sealed.subarray(headerBytes, sealed.length - tagBytes))
      try {
        cipher.final()
      } catch {
        return undefined
      }
      return plain
    },

    isNewest: sealed => sealed[0] === format && sealed.subarray(1, 1 + keyIdBytes).equals(newestId)
  }
}

const idOf = (key: Buffer): Buffer => createHash('sha256').update('grantkeeper key id\0').update(key).digest().subarray(0, keyIdBytes)

const derive = (key: Buffer, context: string): Buffer => createHmac('sha256', key).update('grantkeeper record\0').update(context).digest()

const associatedData = (header: Buffer, context: string): Buffer => Buffer.concat([header, Buffer.from(context)])
