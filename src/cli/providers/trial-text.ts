import { toSingleLine } from '../../core/util/display-text.ts'
import type { ApiRequests } from './api-requests.ts'
import { toCurl } from './curl.ts'
import { placeholders } from './placeholders.ts'
import type { RecordedRequest } from './recorder.ts'
import type { Reading } from './token-response.ts'
import type { Trial } from './try.ts'

type Section = { readonly heading: string; readonly text: string }

/** The trial as text for a person: what happens in the order in which it happens. */
export function describeTrial({ name, title, parameters, oauth2, apiKey }: Trial): string {
  const sections = [
    ...(oauth2
      ? [
          { heading: 'Authorization request: the user’s browser opens this URL', text: oauth2.authorizeUrl },
          {
            heading: `Callback: the browser comes back to this address${oauth2.isPosted ? ' with a POST of these parameters' : ''}, which you register at the provider`,
            text: `${oauth2.redirectUri}?code=${placeholders.code}&state=…${oauth2.callback.map(([name, value]) => `&${name}=${value}`).join('')}`
          },
          ...request('Token request', oauth2.requests.token),
          ...request('Request for the token that is kept', oauth2.requests.upgrade),
          ...request('Refresh request', oauth2.requests.refresh),
          ...request('Revocation request', oauth2.requests.revocation),
          ...apiSections('token', oauth2.api)
        ]
      : []),
    ...(apiKey
      ? [
          ...request('Exchange of the API key for an access token', apiKey.exchange?.token),
          ...request('Revocation of that token', apiKey.exchange?.revocation),
          ...apiSections(apiKey.exchange ? 'token of the API key' : 'API key', apiKey.api)
        ]
      : [])
  ]
  const given = Object.entries(parameters).map(([name, value]) => `${name}=${value}`)
  const withThese = given.length === 0 ? '' : `With ${given.join(', ')} (--parameter NAME=VALUE gives others)\n`
  return `${title} (${name})\n${withThese}${sections.map(({ heading, text }) => `\n${heading}:\n\n${indent(text)}\n`).join('')}`
}

const apiSections = (credential: string, { calls, check, lookup, account }: ApiRequests): Section[] => [
  ...calls.flatMap(call => request(`Request to the API with the ${credential}${call.where}`, call.request)),
  ...request(`Check of the ${credential}`, check),
  ...request('Look-up after connecting', lookup),
  ...request('Which account it is', account)
]

const request = (heading: string, recorded: RecordedRequest | undefined): Section[] =>
  recorded ? [{ heading, text: toCurl(recorded) }] : []

const indent = (text: string): string => text.replaceAll(/^/gm, '  ')

export function describeReading(reading: Reading): string {
  if (!reading.isAccepted) {
    const { reason, consequence, members } = reading
    return [
      '\nThe gateway would refuse this response:',
      `  ${toSingleLine(reason)}`,
      `  ${consequence}`,
      ...(members.length > 0 ? [`  It has: ${members.map(toSingleLine).join(', ')}`] : []),
      ''
    ].join('\n')
  }
  const { accessTokenCharacters, hasRefreshToken, expiresInSeconds, scopes, account, accountId, values, notes } = reading
  return [
    '\nThe gateway finds in this response:',
    `  access token   ${accessTokenCharacters} characters`,
    `  refresh token  ${hasRefreshToken ? 'yes' : 'none'}`,
    `  lifetime       ${expiresInSeconds === undefined ? 'none' : `${expiresInSeconds} s`}`,
    `  scopes         ${scopes?.join(' ') ?? 'none: those that were asked for count as granted'}`,
    `  account        ${[account, ...(accountId === undefined ? [] : [`id ${toSingleLine(accountId)}`])].filter(text => text !== undefined).join(', ') || 'none'}`,
    ...Object.entries(values).map(([name, value]) => `  ${name.padEnd(13)}  ${toSingleLine(value)}`),
    ...notes.map(note => `  Note: ${note}`),
    ''
  ].join('\n')
}
