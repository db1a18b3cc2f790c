import { accountRule } from './account-rule.ts'
import type {
  ApiKeyMethod,
  ClientAssertion,
  CredentialCheck,
  OAuth2Method,
  TokenFacts,
  TokenRefusal,
  TokenResponseShape
} from './definition.ts'
import { fields, learntValues, lookup } from './parameter-rules.ts'
import { checkTarget, gatewayRequest, placement, requestTemplate } from './request-rules.ts'
import {
  anyText,
  anything,
  both,
  flag,
  isObject,
  list,
  matching,
  must,
  object,
  oneOf,
  positiveInteger,
  type Rule,
  rule,
  such,
  text,
  texts,
  textsByName
} from './rules.ts'
import { endpointUrl, headers, pageUrl, pointer } from './text-rules.ts'

/** The rules of both methods. The origins are those of the provider's API and token endpoint, which see its credentials in any case. */

const isFinalStatus = (status: unknown) => Number.isInteger(status) && Number(status) >= 200 && Number(status) < 600
const statusSchema = { type: 'integer', minimum: 200, maximum: 599 }
const check = (origins: readonly string[]) =>
  both(
    object<CredentialCheck>({
      required: {
        status: must(
          'must be a final HTTP status, or a list of them',
          value => {
            const statuses = [value].flat()
            return statuses.length > 0 && statuses.every(isFinalStatus)
          },
          { anyOf: [statusSchema, { type: 'array', items: statusSchema, minItems: 1 }] }
        )
      },
      optional: {
        ...gatewayRequest,
        expect: object<NonNullable<CredentialCheck['expect']>>({ required: { pointer }, optional: { equals: anything } })
      }
    }),
    checkTarget(origins)
  )

const exampleSteps = ['Open Settings.', 'Copy the key.']
export const help = such(object<ApiKeyMethod['help']>({ required: { steps: such(texts, exampleSteps) }, optional: { plan: text } }), {
  steps: exampleSteps
})

/** Pages list them with commas between. */
const scopeText = matching(/^[^,]*[^,\s][^,]*$/, 'must be text without commas')
export const scopeTexts = rule({ type: 'object', additionalProperties: scopeText.schema }, (value, field, report) => {
  if (!isObject(value)) return report(field, 'must be an object of texts without commas')
  for (const [scope, words] of Object.entries(value)) scopeText(words, `${field}.${scope}`, report)
})

const refusal = object<TokenRefusal>({
  required: {
    pointer,
    oneOf: list(anything, 'must list the values that mean a refusal', 1),
    means: must('must be invalid_grant or invalid_client', value => value === 'invalid_grant' || value === 'invalid_client', {
      enum: ['invalid_grant', 'invalid_client']
    })
  },
  optional: {}
})

const tokenResponse = object<TokenResponseShape>({
  required: {},
  optional: {
    accessToken: pointer,
    refreshToken: pointer,
    expiresIn: pointer,
    expiresAt: pointer,
    scope: pointer,
    tokenType: anyText,
    defaultExpiresIn: must('must be a number of seconds above 0', value => Number.isFinite(value) && Number(value) > 0, {
      type: 'number',
      exclusiveMinimum: 0
    })
  }
})

const lifetime: Rule = rule({ anyOf: [{ const: 'unlimited' }, positiveInteger.schema] }, (value, field, report) => {
  if (value !== 'unlimited') positiveInteger(value, field, (where, requirement) => report(where, `${requirement}, or 'unlimited'`))
})
const tokens = object<TokenFacts>({
  required: {},
  optional: { accessTokenLifetime: lifetime, refreshToken: oneOf('none', 'kept', 'rotated'), refreshTokenLifetime: lifetime }
})

const clientAssertion = object<ClientAssertion>({
  required: { algorithm: oneOf('ES256', 'ES384', 'ES512', 'RS256', 'PS256', 'EdDSA') },
  optional: { keyId: text, issuer: text, audience: text, asSecret: flag }
})

export const oauth2 = (origins: readonly string[]): Rule =>
  both(
    object<OAuth2Method>({
      required: {
        authorizeUrl: such(endpointUrl, 'https://example.com/oauth/authorize'),
        tokenUrl: such(endpointUrl, 'https://example.com/oauth/token'),
        scopes: such(texts, ['orders:read']),
        clientAuthentication: oneOf('body', 'basic', 'basic-raw', 'none', 'private_key_jwt'),
        help
      },
      optional: {
        refreshUrl: endpointUrl,
        revokeUrl: endpointUrl,
        revokeRequest: requestTemplate,
        refreshRequest: requestTemplate,
        upgradeRequest: requestTemplate,
        revocation: oneOf('token', 'grant'),
        issuer: text,
        scopeSeparator: anyText,
        scopeParameter: text,
        scopeTexts,
        clientAssertion,
        clientIdParameter: text,
        clientSecretParameter: text,
        pkce: oneOf('S256', 'plain', false),
        responseMode: oneOf('form_post'),
        tokenRequestFormat: oneOf('form', 'json', 'query'),
        tokenHeaders: headers,
        authorizeParams: textsByName,
        tokenParams: textsByName,
        refreshParams: textsByName,
        tokenResponse,
        refreshResponse: tokenResponse,
        tokens,
        lookup: lookup(origins),
        values: learntValues(['token', 'callback', 'lookup']),
        account: accountRule(['token', 'id_token', 'lookup'], origins),
        refusals: list(refusal),
        placements: list(placement),
        check: check(origins)
      }
    }),
    (method, field, report) => {
      const isSigned = method.clientAuthentication === 'private_key_jwt'
      if (isSigned !== (method.clientAssertion !== undefined))
        report(
          `${field}.clientAssertion`,
          isSigned
            ? 'is missing: it must be there with clientAuthentication \'private_key_jwt\', such as {"algorithm":"ES256"}'
            : "must be left out without clientAuthentication 'private_key_jwt'"
        )
      if (method.revokeUrl !== undefined && method.revokeRequest !== undefined)
        report(`${field}.revokeRequest`, 'must be left out where there is a revokeUrl')
      if (method.refreshUrl !== undefined && method.refreshRequest !== undefined)
        report(`${field}.refreshRequest`, 'must be left out where there is a refreshUrl')
      checkLookup(method, field, report)
    }
  )

export const apiKey = (origins: readonly string[]): Rule =>
  both(
    object<ApiKeyMethod>({
      required: { placements: such(list(placement), [{ in: 'header', name: 'x-api-key' }]), help },
      optional: {
        fields: both(fields, (fields, field, report) => {
          if (fields.key === undefined) report(`${field}.key`, 'is missing: it must be there, for the credential itself')
        }),
        tokenRequest: requestTemplate,
        tokenResponse,
        revokeRequest: requestTemplate,
        check: check(origins),
        lookup: lookup(origins),
        values: learntValues(['key', 'token', 'lookup']),
        keysUrl: pageUrl,
        account: accountRule(['check', 'lookup'], origins)
      }
    }),
    (method, field, report) => {
      const { tokenRequest, check, account, values } = method
      for (const name of ['tokenResponse', 'revokeRequest'])
        if (method[name] !== undefined && tokenRequest === undefined) report(`${field}.${name}`, 'must be left out without a tokenRequest')
      for (const [name, value] of Object.entries(Object(values)))
        if (tokenRequest === undefined && isObject(value) && value.from === 'token')
          report(`${field}.values.${name}.from`, "must not be 'token' without a tokenRequest")
      if (isObject(account) && account.from === 'check' && check === undefined)
        report(`${field}.account.from`, "must not be 'check' without a check")
      checkLookup(method, field, report)
    }
  )

/** What a look-up is for, and what needs one. */
function checkLookup(method: Readonly<Record<string, unknown>>, field: string, report: (field: string, requirement: string) => void): void {
  const { lookup, values, account } = method
  const readsLookup = Object.values(Object(values)).some(value => isObject(value) && value.from === 'lookup')
  const isAccount = isObject(account) && account.from === 'lookup' && account.path === undefined && account.url === undefined
  if (lookup === undefined && (readsLookup || isAccount))
    report(`${field}.lookup`, 'is missing: it must be there, since a value or the account is read from it')
  if (lookup !== undefined && !readsLookup && !isAccount)
    report(`${field}.lookup`, 'must be left out: no value and no account is read from it')
}
