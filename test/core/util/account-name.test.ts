import t from 'tap'
import { accountName } from '../../../src/core/util/account-name.ts'

t.test('a name is shown as it is, but for what could make a line read as another', async t => {
  for (const [told, shown] of [
    ['Fernhill & Söhne 🗝', 'Fernhill & Söhne 🗝'],
    [' Ada \n', 'Ada'],
    ['Ada\u202e gnivE', 'Ada gnivE'],
    ['A\0d\u2028a\u200b', 'Ada'],
    ['<b>Ada</b>', '<b>Ada</b>'],
    ['🗝'.repeat(300), '🗝'.repeat(200)],
    ['', undefined],
    ['\u200e \u200f', undefined],
    [7, undefined],
    [null, undefined]
  ] as const)
    t.equal(accountName(told), shown, encodeURIComponent(String(told)).slice(0, 60))
})
