import type { ConnectionView } from '../../core/connections/view.ts'
import { type Html, html } from '../html.ts'

/**
 * What is known of a connection that works.
 *
 * @param endsAtMs when the person has to connect again. `expiresAt` is not it: an access token that renews itself ends every few
 * hours, and nobody has to do anything about it.
 */
export function details(view: ConnectionView, endsAtMs: number | undefined): Html {
  const { scopes = [], method } = view
  return list([
    ...common(view),
    ['Ends', endsAtMs === undefined ? undefined : time(new Date(endsAtMs).toISOString())],
    ['Connected by', method === 'api_key' ? 'Key' : undefined],
    ['Allowed', scopes.length > 0 ? scopeList(scopes) : undefined]
  ])
}

export const scopeList = (scopes: readonly string[]): Html[] => scopes.map((scope, i) => html`${i > 0 ? ', ' : ''}<code>${scope}</code>`)

/** What is worth knowing of one that does not: with which account to connect again. */
export const lastDetails = (view: ConnectionView): Html => list(common(view))

type Row = readonly [name: string, value: string | Html | Html[] | undefined]

const common = ({ account, connectedAt, lastUsedAt }: ConnectionView): Row[] => [
  ['Account', account],
  ['Since', time(connectedAt)],
  ['Last used', time(lastUsedAt)]
]

const list = (rows: readonly Row[]): Html =>
  html`<dl>${rows.filter(([, value]) => value !== undefined).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`

/** In UTC, until the page's script tells it as the person's clock does. */
export const time = (timestamp: string | undefined): Html | undefined =>
  timestamp === undefined ? undefined : html`<time datetime="${timestamp}">${timestamp.slice(0, 16).replace('T', ' ')} UTC</time>`
