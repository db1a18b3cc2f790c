import t from 'tap'
import { connectPage } from '../../src/pages/connect-page.ts'
import { createPageContexts } from '../../src/pages/context.ts'
import { apiKeyWith, oauth2With, providerWith } from '../core/support.ts'

const contexts = createPageContexts({ publicUrl: 'http://localhost:3000', basePath: '' }, {})
const provider = providerWith({
  description: 'Anvils',
  methods: {
    oauth2: oauth2With({ help: { steps: ['Sign in there.'] } }),
    apiKey: { ...apiKeyWith({ in: 'basic' }), help: { steps: ['Open it.', 'Copy the key.'], plan: 'Not on all plans.' } }
  }
})
const translated = {
  ...provider,
  translations: {
    de: {
      description: 'Ambosse',
      oauth2: { steps: ['Melden Sie sich dort an.'] },
      apiKey: { steps: ['Öffnen Sie es.', 'Kopieren Sie den Schlüssel.'], plan: 'Nicht in jedem Tarif.' }
    }
  }
}
const connectMethods = [
  { method: 'oauth2', url: '/auth' },
  { method: 'api_key', url: '/connect' }
] as const
const pageOf = (definition: typeof provider, language: string) =>
  connectPage(contexts.for(language), definition, { connectMethods, returnTo: '/' })

t.test('texts of a definition that are only in English are marked on a page in another language', async t => {
  const page = pageOf(provider, 'de')
  t.match(page, '<p class="lead"><span lang="en">Anvils</span>: ')
  t.match(page, '<p lang="en">Sign in there.</p>')
  t.match(page, '<ol class="steps" lang="en"><li>Open it.</li>')
  t.match(page, '<strong>Gut zu wissen:</strong> <span lang="en">Not on all plans.</span>')
})

t.test('a definition’s own translation is shown where there is one for the page', async t => {
  const page = pageOf(translated, 'de-AT')
  for (const text of ['<p class="lead">Ambosse: ', '<p>Melden Sie sich dort an.</p>', '<li>Öffnen Sie es.</li>', ' Nicht in jedem Tarif.'])
    t.match(page, text)
  t.notMatch(page, /lang="en"|Anvils/)
})

t.test('an English page shows the definition’s own texts, unmarked', async t => {
  const page = pageOf(translated, 'en')
  t.match(page, '<p class="lead">Anvils: ')
  t.match(page, '<ol class="steps"><li>Open it.</li>')
})
