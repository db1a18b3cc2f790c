import t from 'tap'
import type { ConnectionView } from '../../src/core/connections/view.ts'
import { connectionsPage } from '../../src/pages/connections-page.ts'
import { createPageContexts } from '../../src/pages/context.ts'
import { providerWith } from '../core/support.ts'

type State = Pick<ConnectionView, 'status' | 'failingSince'>

const connected: State = { status: 'connected' }
const ended: State = { status: 'reconnect_required' }
const failing: State = { status: 'connected', failingSince: '2026-11-28T12:00:00.000Z' }
const none: State = { status: 'disconnected' }
const contexts = createPageContexts({ publicUrl: 'http://localhost:3000', basePath: '' }, {})

/** A provider with this title, and an account in each state. */
function cardOf(title: string, states: readonly State[]) {
  const provider = providerWith({ title })
  const accounts = states.map((state, i) => {
    const view: ConnectionView = { id: `id-${i}`, provider: provider.name, title, methods: [], connectUrl: '', ...state }
    return { view, connectMethods: [], endsAtMs: undefined }
  })
  return { provider, accounts, addMethods: [] }
}

function titlesOf(cards: ReadonlyArray<readonly [title: string, ...states: State[]]>, language = 'en'): string[] {
  const page = connectionsPage(contexts.for(language), {
    cards: cards.map(([title, ...states]) => cardOf(title, states)),
    invitations: [],
    signInResult: undefined,
    sessionExpiry: undefined,
    user: undefined,
    takeover: undefined
  })
  const [list] = /<ul class="card-list"[\s\S]*?<div class="facts">/.exec(page) ?? ['']
  return [...list.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, title]) => title ?? '')
}

t.test('cards that need the user come first, then those that are connected, then the others', async t => {
  t.same(
    titlesOf([
      ['A', none],
      ['B', connected],
      ['C', failing],
      ['D', none],
      ['E', connected],
      ['F', ended]
    ]),
    ['C', 'F', 'B', 'E', 'A', 'D']
  )
})

t.test('one account that needs the user is enough', async t => {
  t.same(
    titlesOf([
      ['A', connected, connected],
      ['B', connected, ended],
      ['C', connected, failing]
    ]),
    ['B', 'C', 'A']
  )
})

t.test('cards of the same kind are in the order of their titles in the language of the page', async t => {
  const cards = [
    ['Zoom', none],
    ['Älva', none],
    ['beta', none],
    ['Acme', none]
  ] as const
  t.same(titlesOf(cards, 'de'), ['Acme', 'Älva', 'beta', 'Zoom'])
})
