import { readPort } from '../../config/config.ts'
import { ConfigError, EnvironmentReader } from '../../config/environment.ts'
import { defaultHost, readPublicUrl } from '../../config/network.ts'
import { readProvider } from '../../config/provider-settings.ts'
import { variablePrefix } from '../../config/variable-prefix.ts'
import type { OAuth2Method, OAuthClient, Provider } from '../../core/provider/definition.ts'
import { TemplateError, type Variables } from '../../core/provider/template.ts'
import type { CommandContext } from '../command.ts'
import { UsageError } from '../usage-error.ts'
import { type ApiRequests, recordApiRequests } from './api-requests.ts'
import { type KeyRequests, type OAuthRequests, recordKeyExchange, recordSignIn, recordTokenRequests } from './oauth-requests.ts'
import { readResponse } from './pasted-response.ts'
import { placeholders } from './placeholders.ts'
import { readDefinitions } from './read-definition.ts'
import { openRecorder } from './recorder.ts'
import { type Reading, readTokenResponse } from './token-response.ts'
import { trialDefinition, trialKey, trialParameters } from './trial-definition.ts'
import { describeReading, describeTrial } from './trial-text.ts'

export type TryOptions = {
  readonly json: boolean
  readonly clientId: string | undefined
  /** `NAME=VALUE` each. */
  readonly parameters: readonly string[]
  /** File with a token response. */
  readonly response: string | undefined
  readonly status: number
}

/** What the gateway would send for a definition. */
export type Trial = {
  readonly name: string
  readonly title: string
  /** What stands for what a user gives. */
  readonly parameters: Variables
  readonly oauth2?: {
    readonly redirectUri: string
    readonly authorizeUrl: string
    /** Beside code and state. */
    readonly callback: ReadonlyArray<readonly [name: string, value: string]>
    /** Whether the callback is a POST. */
    readonly isPosted: boolean
    readonly requests: OAuthRequests
    readonly api: ApiRequests
  }
  readonly apiKey?: { readonly exchange: KeyRequests | undefined; readonly api: ApiRequests }
}

/** @returns the exit code */
export async function tryDefinition(
  file: string,
  { json, clientId, parameters: given, response: responseFile, status }: TryOptions,
  { variables, print, printError }: CommandContext
): Promise<number> {
  const refuse = (problems: readonly string[]) => {
    print(json ? `${JSON.stringify({ file, problems })}\n` : `${file} cannot be tried:\n${problems.map(line => `  - ${line}\n`).join('')}`)
    return 1
  }
  const [read, ...others] = await readDefinitions(file)
  if (!read?.definition) return refuse(read?.problems ?? [])
  if (others.length > 0) return refuse([`has ${others.length + 1} definitions. Put each into a file of its own to try it.`])
  const defined = read.definition
  const { definition, client, publicUrl } = readEnvironment(variables, defined, clientId)
  if (!definition.methods.oauth2 && responseFile !== undefined)
    throw new UsageError(`${file} has no oauth2, so there is no token response to read.`)
  const parameters = trialParameters(definition, given)
  const recorder = await openRecorder()
  try {
    const { oauth2, apiKey } = definition.methods
    const ofUser = oauth2 && client && trialDefinition(definition, 'oauth2', parameters)
    const method = ofUser?.methods.oauth2
    const signIn =
      method && client && (await recordSignIn(recorder, { definition: ofUser, method: learnNothing(method), client, publicUrl }))
    const ofKey = apiKey && trialDefinition(definition, 'apiKey', parameters)
    const trial: Trial = {
      name: definition.name,
      title: definition.title,
      parameters,
      ...(signIn && {
        oauth2: {
          redirectUri: signIn.redirectUri,
          authorizeUrl: signIn.authorizeUrl,
          callback: callbackOf(method),
          isPosted: method.responseMode === 'form_post',
          requests: await recordTokenRequests(recorder, method, signIn),
          api: await recordApiRequests(ofUser, 'oauth2')
        }
      }),
      ...(ofKey && {
        apiKey: { exchange: await recordKeyExchange(recorder, ofKey, client?.id), api: await recordApiRequests(ofKey, 'api_key') }
      })
    }
    if (!json) print(describeTrial(trial))
    const body = signIn && (await readResponse(responseFile, printError))
    const clientIdVariable = `${variablePrefix(definition)}_CLIENT_ID`
    const reading =
      body &&
      (await readTokenResponse(
        recorder,
        await recordSignIn(recorder, { definition: ofUser, method: learnFromResponse(method), client, publicUrl }),
        { method, client, clientIdVariable },
        { status, body }
      ))
    if (json) print(`${JSON.stringify({ ...trial, ...(reading && { response: reading }) }, null, 2)}\n`)
    else if (reading) print(describeReading(reading))
    return isRefused(reading) ? 1 : 0
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    return refuse([`the example of ${error.message}.`])
  } finally {
    await recorder.close()
  }
}

/** The examples of all values stand in the definition already. */
const learnNothing = ({ values: _, ...method }: OAuth2Method): OAuth2Method => method

/** Of the first response alone, which is what an author has. */
function learnFromResponse({ upgradeRequest: _, values = {}, ...method }: OAuth2Method): OAuth2Method {
  const ofResponse = Object.entries(values).filter(([, { from }]) => from === 'token')
  return { ...method, ...(ofResponse.length > 0 && { values: Object.fromEntries(ofResponse) }) }
}

const callbackOf = ({ values = {} }: OAuth2Method) =>
  Object.values(values).flatMap(({ parameter, example }) => (parameter === undefined ? [] : [[parameter, example] as const]))

const isRefused = (reading: Reading | undefined): boolean => reading?.isAccepted === false

type TrialEnvironment = { readonly definition: Provider; readonly client: OAuthClient | undefined; readonly publicUrl: string }

/**
 * The definition with the operator's URLs and client. No secret is read.
 * @throws {ConfigError} for the provider's variables, and `PUBLIC_URL`
 */
function readEnvironment(variables: CommandContext['variables'], defined: Provider, clientId: string | undefined): TrialEnvironment {
  const id = `${variablePrefix(defined)}_CLIENT_ID`
  const secret = `${variablePrefix(defined)}_CLIENT_SECRET`
  const { oauth2 } = defined.methods
  const isIdSet = variables[id] || variables[`${id}_FILE`]
  const env = new EnvironmentReader({
    ...variables,
    ...(clientId !== undefined && { [id]: clientId, [`${id}_FILE`]: undefined }),
    ...(oauth2 && {
      ...(clientId === undefined && !isIdSet && { [id]: placeholders.clientId }),
      [secret]: oauth2?.clientAuthentication === 'private_key_jwt' ? trialKey(oauth2) : placeholders.clientSecret,
      [`${secret}_FILE`]: undefined
    })
  })
  const { definition, client } = readProvider(env, defined, false)
  const publicUrl = readPublicUrl(env, { production: false, host: defaultHost })
  const port = readPort(variables, env)
  if (env.problems.length > 0) throw new ConfigError(env.problems)
  return { definition, client, publicUrl: publicUrl?.href ?? `http://localhost:${port}` }
}
