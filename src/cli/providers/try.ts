import { readPort } from '../../config/config.ts'
import { ConfigError, EnvironmentReader } from '../../config/environment.ts'
import { defaultHost, readPublicUrl } from '../../config/network.ts'
import { readProvider } from '../../config/provider-settings.ts'
import { variablePrefix } from '../../config/variable-prefix.ts'
import type { OAuthClient, Provider } from '../../core/provider/definition.ts'
import type { CommandContext } from '../command.ts'
import { UsageError } from '../usage-error.ts'
import { type ApiRequests, recordApiRequests } from './api-requests.ts'
import { type OAuthRequests, recordSignIn, recordTokenRequests } from './oauth-requests.ts'
import { readResponse } from './pasted-response.ts'
import { placeholders } from './placeholders.ts'
import { readDefinition } from './read-definition.ts'
import { openRecorder } from './recorder.ts'
import { type Reading, readTokenResponse } from './token-response.ts'
import { describeReading, describeTrial } from './trial-text.ts'

export type TryOptions = {
  readonly json: boolean
  readonly clientId: string | undefined
  /** File with a token response. */
  readonly response: string | undefined
  readonly status: number
}

/** What the gateway would send for a definition. */
export type Trial = {
  readonly name: string
  readonly title: string
  readonly oauth2?: {
    readonly redirectUri: string
    readonly authorizeUrl: string
    readonly requests: OAuthRequests
    readonly api: ApiRequests
  }
  readonly apiKey?: { readonly api: ApiRequests }
}

/** @returns the exit code */
export async function tryDefinition(
  file: string,
  { json, clientId, response: responseFile, status }: TryOptions,
  { variables, print, printError }: CommandContext
): Promise<number> {
  const { definition: defined, problems } = await readDefinition(file)
  if (problems) {
    print(json ? `${JSON.stringify({ file, problems })}\n` : `${file} cannot be tried:\n${problems.map(line => `  - ${line}\n`).join('')}`)
    return 1
  }
  const { definition, client, publicUrl } = readEnvironment(variables, defined, clientId)
  const { oauth2: method, apiKey } = definition.methods
  if (!method && responseFile !== undefined) throw new UsageError(`${file} has no oauth2, so there is no token response to read.`)
  const recorder = await openRecorder()
  try {
    const signIn = method && client && (await recordSignIn(recorder, { definition, method, client, publicUrl }))
    const trial: Trial = {
      name: definition.name,
      title: definition.title,
      ...(signIn && {
        oauth2: {
          redirectUri: signIn.redirectUri,
          authorizeUrl: signIn.authorizeUrl,
          requests: await recordTokenRequests(recorder, method, signIn),
          api: await recordApiRequests(definition, 'oauth2')
        }
      }),
      ...(apiKey && { apiKey: { api: await recordApiRequests(definition, 'api_key') } })
    }
    if (!json) print(describeTrial(trial))
    const body = signIn && (await readResponse(responseFile, printError))
    const clientIdVariable = `${variablePrefix(definition)}_CLIENT_ID`
    const reading = body && (await readTokenResponse(recorder, signIn, { method, client, clientIdVariable }, { status, body }))
    if (json) print(`${JSON.stringify({ ...trial, ...(reading && { response: reading }) }, null, 2)}\n`)
    else if (reading) print(describeReading(reading))
    return isRefused(reading) ? 1 : 0
  } finally {
    await recorder.close()
  }
}

const isRefused = (reading: Reading | undefined): boolean => reading?.isAccepted === false

type TrialEnvironment = { readonly definition: Provider; readonly client: OAuthClient | undefined; readonly publicUrl: string }

/**
 * The definition with the operator's URLs and client. No secret is read.
 * @throws {ConfigError} for the provider's variables, and `PUBLIC_URL`
 */
function readEnvironment(variables: CommandContext['variables'], defined: Provider, clientId: string | undefined): TrialEnvironment {
  const id = `${variablePrefix(defined)}_CLIENT_ID`
  const secret = `${variablePrefix(defined)}_CLIENT_SECRET`
  const isIdSet = variables[id] || variables[`${id}_FILE`]
  const env = new EnvironmentReader({
    ...variables,
    ...(clientId !== undefined && { [id]: clientId, [`${id}_FILE`]: undefined }),
    ...(defined.methods.oauth2 && {
      ...(clientId === undefined && !isIdSet && { [id]: placeholders.clientId }),
      [secret]: placeholders.clientSecret,
      [`${secret}_FILE`]: undefined
    })
  })
  const { definition, client } = readProvider(env, defined, false)
  const publicUrl = readPublicUrl(env, { production: false, host: defaultHost })
  const port = readPort(variables, env)
  if (env.problems.length > 0) throw new ConfigError(env.problems)
  return { definition, client, publicUrl: publicUrl?.href ?? `http://localhost:${port}` }
}
