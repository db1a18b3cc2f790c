import { setFlagsFromString } from 'node:v8'

export const bufferFlag = '--external-memory-accounted-in-global-limit'

/**
 * Makes V8 count buffers towards the heap's own limit. Bodies pass through as buffers outside of V8's heap; by default V8 collects the
 * whole heap whenever 64 MB of them have been allocated: eight times a second under large responses, a third of their time (decision 22).
 * V8 12, of Node.js 22, does not know the flag, and V8 prints an error for a flag that it does not know.
 */
export function countBuffersAsHeap(): void {
  if (Number.parseInt(process.versions.v8, 10) > 12) setFlagsFromString(bufferFlag)
}
