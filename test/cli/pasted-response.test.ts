import { PassThrough } from 'node:stream'
import t from 'tap'
import { readResponse } from '../../src/cli/providers/pasted-response.ts'

/** Standard input in which a person or a program writes this, and ends it. */
function inputOf(text: string, isTTY: boolean): NodeJS.ReadStream {
  const input = new PassThrough()
  input.end(text)
  return Object.assign(input, { isTTY }) as unknown as NodeJS.ReadStream
}

t.test('a person at a terminal is asked to paste', async t => {
  const asked: string[] = []
  const pasted = await readResponse(undefined, text => asked.push(text), inputOf('{"access_token":"a"}\n', true))
  t.equal(pasted?.toString(), '{"access_token":"a"}\n')
  t.match(asked.join(''), /Paste a token response, then press Ctrl-D/)
})

t.test('a pipe is read without a question', async t => {
  for (const file of [undefined, '-']) {
    const pasted = await readResponse(file, text => t.fail(text), inputOf('{}', false))
    t.equal(pasted?.toString(), '{}')
  }
})

t.test('nothing but blanks is no response', async t => {
  for (const isTTY of [true, false]) t.equal(await readResponse(undefined, () => {}, inputOf(' \n', isTTY)), undefined)
})
