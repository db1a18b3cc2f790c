import type { ConnectionView } from '../core/connections/view.ts'
import type { PageContext } from './context.ts'
import type { ConnectionCard } from './parts/connection-card.ts'

/** What needs the user comes first, then what is connected, then what could be; by title in the order of the page's language. */
export const inOrder = ({ language }: PageContext, cards: readonly ConnectionCard[]): ConnectionCard[] =>
  cards.toSorted((a, b) => groupOf(a) - groupOf(b) || a.provider.title.localeCompare(b.provider.title, language))

/** One account that needs the user is enough: a card is looked for where its provider is. */
function groupOf({ accounts }: ConnectionCard): number {
  if (accounts.some(({ view }) => needsUser(view))) return 0
  return accounts.some(({ view }) => view.status === 'connected') ? 1 : 2
}

const needsUser = ({ status, failingSince }: ConnectionView): boolean => status === 'reconnect_required' || failingSince !== undefined
