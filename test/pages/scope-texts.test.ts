import t from 'tap'
import { createPageContexts } from '../../src/pages/context.ts'
import { scopeList } from '../../src/pages/parts/elements.ts'
import { oauth2With, providerWith } from '../core/support.ts'

const contexts = createPageContexts({ publicUrl: 'http://localhost:3000', basePath: '' }, {})
const scopeTexts = { 'notes:read': 'see notes', 'notes:write': 'write <notes>' }
const provider = providerWith({ methods: { oauth2: oauth2With({ scopeTexts }) } })
const steps = ['Melden Sie sich an.']
const translated = {
  ...provider,
  translations: {
    de: { description: 'Ambosse', oauth2: { steps, scopeTexts: { 'notes:read': 'Notizen sehen', 'notes:write': 'schreiben' } } }
  }
}
const listOf = (definition: typeof provider, scopes: readonly string[], language = 'en') =>
  scopeList(contexts.for(language), definition, scopes).text

t.test('scopes are listed in words, with the scope itself as the title', async t => {
  t.equal(
    listOf(provider, ['notes:read', 'notes:write']),
    '<span title="notes:read">see notes</span>, <span title="notes:write">write &lt;notes&gt;</span>'
  )
})

t.test('a scope without words is shown as it is', async t => {
  t.equal(
    listOf(provider, ['notes:read', 'constructor', '<b>']),
    '<span title="notes:read">see notes</span>, <code>constructor</code>, <code>&lt;b&gt;</code>'
  )
  t.equal(listOf(providerWith(), ['read']), '<code>read</code>')
})

t.test('the words are in the language of the page, or marked as English', async t => {
  t.equal(listOf(translated, ['notes:read'], 'de'), '<span title="notes:read">Notizen sehen</span>')
  t.equal(listOf(provider, ['notes:read'], 'de'), '<span title="notes:read" lang="en">see notes</span>')
})
