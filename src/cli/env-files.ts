import { readFileSync, statSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { ConfigError, type Environment } from '../config/environment.ts'

/**
 * The variables of the files, as `node --env-file` reads them: a later file wins over an earlier one.
 * @throws {ConfigError} naming every file that cannot be read
 */
export function readEnvFiles(files: readonly string[]): Environment {
  const problems: string[] = []
  const variables = files.map(file => {
    try {
      // Node looks for --env-file in the arguments of every script, and reads the file before we do: a pipe would be empty by now.
      if (statSync(file).isFile()) return parseEnv(readFileSync(file, 'utf8'))
      problems.push(`--env-file ${file}: it is not a regular file. Give one, for example --env-file production.env.`)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      problems.push(`--env-file ${file}: the file cannot be read (${code}). Give the path of one with lines such as PORT=3000.`)
    }
    return {}
  })
  if (problems.length > 0) throw new ConfigError(problems)
  return Object.assign({}, ...variables)
}
