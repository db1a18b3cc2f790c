import t from 'tap'
import { openProgress } from '../../src/cli/progress.ts'

function fakeStream(isTTY: boolean) {
  const written: string[] = []
  return { isTTY, written, write: (text: string) => written.push(text) > 0 }
}

t.test('a terminal shows the first of many calls in quick succession, and nothing at the end', async t => {
  const stream = fakeStream(true)
  const progress = openProgress(stream as unknown as NodeJS.WriteStream)
  for (let i = 1; i <= 3; i++) progress.show(`${i} read`)
  t.strictSame(stream.written, ['\r\u001b[2K1 read'])
  progress.end()
  t.equal(stream.written.at(-1), '\r\u001b[2K')
})

t.test('a file or pipe gets nothing', async t => {
  const stream = fakeStream(false)
  const progress = openProgress(stream as unknown as NodeJS.WriteStream)
  progress.show('1 read')
  progress.end()
  t.strictSame(stream.written, [])
})

t.test('a terminal on which nothing was shown is left as it is', async t => {
  const stream = fakeStream(true)
  openProgress(stream as unknown as NodeJS.WriteStream).end()
  t.strictSame(stream.written, [])
})
