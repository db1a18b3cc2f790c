import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto'

// A sealed record: format (1) | key id (4) | nonce (12) | ciphertext | tag (16).
const format = 1
const keyIdBytes = 4
const nonceBytes = 12
const tagBytes = 16

/** The first bytes of a sealed record. The nonce in them is new at every seal, so they tell one write from another. */
export const headerBytes = 1 + keyIdBytes + nonceBytes

export type Cipher = {
  /** @param context what the record is and whose; it opens only under the same. */
  seal(plain: Buffer, context: string): Buffer
  /** @returns `undefined` when no key of the ring opens it, or when it was altered or moved. */
  open(sealed: Buffer, context: string): Buffer | undefined
  /** Whether the key that seals now has sealed it. It may not open all the same. */
  isNewest(sealed: Buffer): boolean
}

/**
 * AES-256-GCM (NIST SP 800-38D) under a ring of 32-byte keys: the first seals, every one opens.
 *
 * Each context gets a key of its own, derived with HMAC-SHA-256. So the limit of 2^32 random nonces a key counts per
 * record and not for the whole installation, and a record that is moved does not open, whatever its associated data.
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
