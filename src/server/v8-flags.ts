import { setFlagsFromString } from 'node:v8'

export const bufferFlag = '--external-memory-accounted-in-global-limit'

/**
 * Bodies pass as buffers outside of V8's heap. By default V8 goes through all of the heap whenever some 64 MB of them have been made:
 * eight times a second under large answers, a third of the time that they take. So they count as the heap itself does, whose next
 * collection comes after it has grown by a part of what it holds. An option that V8 no longer knows does nothing.
 */
export function countBuffersAsHeap(): void {
  setFlagsFromString(bufferFlag)
}
