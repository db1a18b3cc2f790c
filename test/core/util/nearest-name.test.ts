import t from 'tap'
import { didYouMean } from '../../../src/core/util/nearest-name.ts'

const names = ['start', 'providers', 'connections', 'keys', 'reseal']

t.test('a word with a typing mistake means the name that is near', async t => {
  for (const [word, meant] of [
    ['strat', 'start'],
    ['Start', 'start'],
    ['provider', 'providers'],
    ['conections', 'connections'],
    ['key', 'keys'],
    ['resael', 'reseal']
  ] as const)
    t.equal(didYouMean(word, names), ` Did you mean ${meant}?`, word)
})

t.test('a word that begins a name means it', async t => {
  t.equal(didYouMean('conn', names), ' Did you mean connections?')
})

t.test('a word that is like no name means none', async t => {
  for (const word of ['', 'c', 'deploy', 'xyz', 'constructor']) t.equal(didYouMean(word, names), '', word)
})
