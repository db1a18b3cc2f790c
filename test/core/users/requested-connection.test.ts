import t from 'tap'
import { requestedConnection } from '../../../src/core/users/requested-connection.ts'
import { codeOf } from '../support.ts'

t.test('a request names the connection in a header, whatever its case', async t => {
  t.equal(requestedConnection(['accept', '*/*', 'Grantkeeper-Connection', 'Ab-1_']), 'Ab-1_')
  t.equal(requestedConnection(['GRANTKEEPER-CONNECTION', '2']), '2')
  t.equal(requestedConnection(['grantkeeper-connection', '']), '', 'an id that nobody has')
})

t.test('a request without the header names no connection', async t => {
  t.equal(requestedConnection([]), undefined)
  t.equal(requestedConnection(['x-note', 'grantkeeper-connection', 'grantkeeper-connections', '1']), undefined)
})

t.test('a connection that is named twice is refused', async t => {
  for (const second of ['1', '2'])
    t.equal(
      codeOf(() => requestedConnection(['grantkeeper-connection', '1', 'Grantkeeper-Connection', second])),
      'header_rejected'
    )
})
