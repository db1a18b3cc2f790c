import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { parse } from 'yaml'
import { readConfig } from '../../src/config/config.ts'
import { ConfigError } from '../../src/config/environment.ts'
import { loadProviders } from '../../src/config/load-providers.ts'
import { newKey } from '../support/gateway.ts'
import { type Owner, startNode } from '../support/node-process.ts'

const root = join(import.meta.dirname, '..', '..')

export const pathOf = (...names: string[]): string => join(root, ...names)
export const readText = (...names: string[]): string => readFileSync(pathOf(...names), 'utf8')

/** The only document of a YAML file. Duplicate keys and other mistakes throw. */
export const readYaml = <T>(...names: string[]): T => parse(readText(...names)) as T

/** A file of NAME=value lines, as Docker, Kustomize and systemd read it. */
export const readEnvFile = (...names: string[]): Record<string, string> => parseEnv(readText(...names)) as Record<string, string>

export type Variables = Readonly<Record<string, string>>

const definitions = await loadProviders()

/** Every name that the configuration looks up, with the forms NAME_FILE. */
const readNames = (): ReadonlySet<string> => {
  const names = new Set<string>()
  const recorder = new Proxy<Record<string, string>>({}, { get: (_target, name) => void names.add(String(name)) })
  try {
    readConfig(recorder, definitions)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
  }
  return names
}

/** Node's own. */
const nodeVariables = ['NODE_COMPILE_CACHE', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS']
const knownNames = new Set([...readNames(), ...nodeVariables])

export const unknownNames = (variables: Variables): string[] => Object.keys(variables).filter(name => !knownNames.has(name))

/** What the files with secrets contain, by the last part of their path. */
export const secretValues = {
  session_keys: newKey(),
  token_keys: newKey(),
  redis_url: 'redis://:password@redis:6379/0',
  ignition_client_secret: 'client-secret'
}

/** The configuration that a gateway would read, with secrets from memory in place of NAME_FILE. */
export function configOf(variables: Variables, secrets: Readonly<Record<string, string | undefined>> = secretValues) {
  const inline = Object.entries(variables).map(([name, value]) => {
    const file = /\/([a-z_]+)$/.exec(value)?.[1]
    if (!name.endsWith('_FILE') || file === undefined) return [name, value]
    if (secrets[file] === undefined) throw new Error(`${name}=${value}: there is no such secret`)
    return [name.slice(0, -'_FILE'.length), secrets[file]]
  })
  return readConfig(Object.fromEntries(inline), definitions)
}

/** How long a shutdown takes at most, in seconds: src/server/serve.ts ends the process then. */
export const shutdownSeconds = ({ shutdown: { delayMs, timeoutMs } }: ReturnType<typeof configOf>): number =>
  (delayMs + timeoutMs) / 1000 + 17

/** An instruction of a Dockerfile. */
export type Instruction = { readonly name: string; readonly value: string }

/** The instructions of the Dockerfile, by stages. Without comments, line continuations joined. */
export function readDockerfile(): Instruction[][] {
  const text = readText('Dockerfile')
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
  const stages: Instruction[][] = []
  for (const line of text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')) {
    const [, name = '', value = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? []
    if (name === 'FROM') stages.push([])
    stages.at(-1)?.push({ name, value })
  }
  return stages
}

export const valuesOf = (stage: readonly Instruction[], name: string): string[] =>
  stage.filter(instruction => instruction.name === name).map(({ value }) => value)

/** The variables that the image sets. */
export const imageVariables = (): Record<string, string> =>
  Object.fromEntries(
    valuesOf(readDockerfile().at(-1) ?? [], 'ENV')
      .flatMap(value => value.split(/\s+/))
      .map(pair => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])
  )

/** A gateway in its own process, from the sources. */
export const startInstance = (owner: Owner, environment: Variables) =>
  startNode(owner, pathOf('src', 'cli', 'main.ts'), environment, ['start'])

/** A duration of compose.yaml or of systemd. */
export function parseSeconds(duration: string | undefined): number {
  const [, number] = /^(\d+)s?$/.exec(duration ?? '') ?? []
  if (number === undefined) throw new Error(`${duration} is not a number of seconds`)
  return Number(number)
}
