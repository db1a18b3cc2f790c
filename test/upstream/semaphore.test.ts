import t from 'tap'
import { Semaphore } from '../../src/upstream/semaphore.ts'

/** Makes waiters by name that log when they acquire. */
function acquirer(semaphore: Semaphore, acquired: string[], onAcquired: (release: () => void) => void = () => {}) {
  return (name: string) => {
    const release = () => semaphore.release(waiter)
    const waiter = {
      onAcquired: () => {
        acquired.push(name)
        onAcquired(release)
      }
    }
    semaphore.acquire(waiter)
    return release
  }
}

t.test('a release lets in the longest waiter, and no more than the limit', async t => {
  const acquired: string[] = []
  const [a, b] = ['a', 'b', 'c', 'd'].map(acquirer(new Semaphore(2), acquired))
  t.strictSame(acquired, ['a', 'b'])
  b?.()
  t.strictSame(acquired, ['a', 'b', 'c'])
  a?.()
  t.strictSame(acquired, ['a', 'b', 'c', 'd'])
})

t.test('a waiter that releases while it queues never acquires, and frees no place', async t => {
  const acquired: string[] = []
  const [a, b] = ['a', 'b', 'c'].map(acquirer(new Semaphore(1), acquired))
  b?.()
  t.strictSame(acquired, ['a'])
  a?.()
  t.strictSame(acquired, ['a', 'c'])
})

t.test('a waiter that releases while it acquires makes room for the next', async t => {
  const acquired: string[] = []
  const semaphore = new Semaphore(1)
  const releaseFirst = acquirer(semaphore, [])('first')
  for (const name of ['a', 'b', 'c']) acquirer(semaphore, acquired, release => release())(name)
  releaseFirst()
  t.strictSame(acquired, ['a', 'b', 'c'])
  acquirer(semaphore, acquired)('d')
  t.strictSame(acquired, ['a', 'b', 'c', 'd'])
})

t.test('each of many waiters acquires, even when all release at once', async t => {
  const acquired: string[] = []
  const semaphore = new Semaphore(1)
  const releaseFirst = acquirer(semaphore, [])('first')
  const many = Array.from({ length: 20_000 }, (_, i) => String(i))
  for (const name of many) acquirer(semaphore, acquired, release => release())(name)
  releaseFirst()
  t.strictSame(acquired, many)
})
