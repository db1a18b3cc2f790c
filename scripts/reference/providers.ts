import { loadProviders } from '../../src/config/load-providers.ts'
import type { OAuth2Method, Provider, TokenFacts } from '../../src/core/provider/definition.ts'
import { askedOf } from '../../src/core/provider/parse-parameters.ts'

const introduction = `# Providers

After this page you know which providers come with Grantkeeper, and what their definitions say of them. It is made from the definitions in
[\`providers/\`](../../providers), which have the source of each fact and the day it was read. Your own are [as good](../adding-a-provider.md).

- **asks** what a user is asked for before the sign-in or beside the key, unless the operator fixes it.
- **access** how long an access token lives, **refresh** whether there is a refresh token, whether a refresh replaces it, and how long it lives.
- **revokes** what a disconnection ends at the provider: the grant, this sign-in alone, or nothing.
- **account** how it is known which account is connected. Without an id a second sign-in is always another connection.
- **facts** from the vendor's own text (V), from independent clients that agree (C), from a guide or one source (G). \`grantkeeper check\` warns of
  the last.

`

const head = ['provider', 'connects by', 'asks', 'access', 'refresh', 'revokes', 'account', 'API bases', 'facts']

/** A row for each definition that is shipped. */
export async function providersPage(): Promise<string> {
  const providers = await loadProviders()
  const rows = providers
    .sort((a, b) => a.title.localeCompare(b.title, 'en'))
    .map(provider => {
      const { title, name, docsUrl, methods, parameters, api } = provider
      const { oauth2, apiKey } = methods
      return [
        `${docsUrl === undefined ? title : `[${title}](${docsUrl})`} \`${name}\``,
        [oauth2 && 'sign-in', apiKey && (apiKey.tokenRequest ? 'key, exchanged' : 'key')].filter(Boolean).join(', '),
        Object.keys(askedOf(parameters)).join(', '),
        lifetimeOf(oauth2?.tokens?.accessTokenLifetime),
        refreshOf(oauth2?.tokens),
        revocationOf(oauth2),
        accountOf(provider),
        ['the API', ...Object.keys(api.bases ?? {})].join(', '),
        factsOf(provider)
      ]
    })
  const line = (cells: readonly string[]) => `| ${cells.map(cell => cell || '–').join(' | ')} |\n`
  return `${introduction}${line(head)}${line(head.map(() => '---'))}${rows.map(line).join('')}`
}

const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1]
] as const

function lifetimeOf(lifetime: TokenFacts['accessTokenLifetime']): string {
  if (lifetime === undefined || lifetime === 'unlimited') return lifetime ?? ''
  const [unit, seconds] = units.find(([, seconds]) => lifetime % seconds === 0) ?? ['s', 1]
  return `${lifetime / seconds} ${unit}`
}

const refreshOf = ({ refreshToken, refreshTokenLifetime }: TokenFacts = {}): string =>
  [refreshToken, refreshToken === 'none' ? '' : lifetimeOf(refreshTokenLifetime)].filter(Boolean).join(', ')

const revocationOf = (oauth2: OAuth2Method | undefined): string =>
  oauth2?.revokeUrl === undefined && oauth2?.revokeRequest === undefined ? '' : oauth2.revocation === 'token' ? 'this sign-in' : 'the grant'

function accountOf({ methods: { oauth2, apiKey } }: Provider): string {
  const account = oauth2?.account ?? apiKey?.account
  if (!account) return ''
  const from = { token: 'token response', id_token: 'ID token', lookup: 'look-up', check: 'check' }[account.from]
  return account.id === undefined ? `${from}, name alone` : from
}

function factsOf({ sources }: Provider): string {
  const letters = { vendor: 'V', clients: 'C', guide: 'G' } as const
  return Object.entries(letters)
    .filter(([confidence]) => sources.some(source => source.confidence === confidence))
    .map(([, letter]) => letter)
    .join(' ')
}
