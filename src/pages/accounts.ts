import type { ConnectionView } from '../core/connections/view.ts'
import type { PageContext } from './context.ts'

/** A connected account, with the text that tells it apart from the provider's other accounts on a page. */
export type LabelledAccount<T> = T & { readonly label: string }

/**
 * The accounts of one provider in the order in which they were connected: another default account does not move them. An account is called
 * by its name, or numbered where the provider does not tell the name or another account has the same.
 */
export function labelAccounts<T extends { readonly view: ConnectionView }>(
  { messages }: PageContext,
  accounts: readonly T[]
): LabelledAccount<T>[] {
  const ordered = accounts.toSorted(({ view: a }, { view: b }) => timeOf(a) - timeOf(b) || (a.id ?? '').localeCompare(b.id ?? ''))
  return ordered.map((account, i) => ({ ...account, label: labelOf(account.view, i + 1, ordered) ?? messages.account.numbered(i + 1) }))
}

const timeOf = ({ connectedAt }: ConnectionView): number => (connectedAt === undefined ? 0 : Date.parse(connectedAt))

function labelOf(
  { account: name }: ConnectionView,
  position: number,
  all: ReadonlyArray<{ readonly view: ConnectionView }>
): string | undefined {
  if (name === undefined) return undefined
  return all.filter(({ view }) => view.account === name).length > 1 ? `${name} (${position})` : name
}
