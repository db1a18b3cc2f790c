import t from 'tap'
import { newConnectionId } from '../../../src/core/connections/connection.ts'
import { ConnectionKey } from '../../../src/core/connections/connection-key.ts'
import { parseAccount } from '../../../src/core/connections/errors.ts'
import { connectionField, keyOfField } from '../../../src/core/vault/records.ts'
import { codeOf, printable } from '../support.ts'

t.test('the parameter account is "add", the id of a connection, or nothing', async t => {
  for (const account of ['add', '0', newConnectionId(), 'x'.repeat(64)]) t.equal(parseAccount(account), account)
  for (const nothing of [undefined, '']) t.equal(parseAccount(nothing), undefined)
})

t.test('any other account is refused', async t => {
  for (const value of ['a b', 'a@b', '../x', 'a\n', 'é', 'x'.repeat(65), ['add', 'add'], 1, null, {}])
    t.equal(
      codeOf(() => parseAccount(value)),
      'parameters_invalid',
      printable(String(value))
    )
})

t.test('accounts at one provider have different keys and fields', async t => {
  const keys = [new ConnectionKey('owner', 'acme'), new ConnectionKey('owner', 'acme', 'a'), new ConnectionKey('owner', 'acme', 'b')]
  for (const textOf of [(key: ConnectionKey) => key.name, (key: ConnectionKey) => key.id, connectionField])
    t.equal(new Set(keys.map(textOf)).size, keys.length)
})

t.test('a key is read from its field again', async t => {
  for (const slot of ['', newConnectionId()]) {
    const { owner, provider, slot: read } = keyOfField('owner', connectionField(new ConnectionKey('owner', 'acme', slot)))
    t.strictSame([owner, provider, read], ['owner', 'acme', slot])
  }
})
