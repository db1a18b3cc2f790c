import { exampleVariables } from '../../src/config/config.ts'
import { loadProviders } from '../../src/config/load-providers.ts'
import { optionOf } from '../../src/config/options.ts'
import { variableGroups } from '../../src/config/reference.ts'
import { variablePrefix } from '../../src/config/variable-prefix.ts'

const introduction = `# Configuration

After this page you know every setting. \`grantkeeper start\` reads them from environment variables; the [plugin](../embedding.md)
from options, in code. Each option does what its variable does, and has its default. [Operating](../operating.md#configuration) says
what to set in production.

- Each variable except \`NODE_ENV\` can be read from a file: \`NAME_FILE=/run/secrets/name\`.
- An empty variable counts as unset. Whitespace around a value is ignored; quotes around it are refused.
- All problems are printed at once, each with an example, and the process exits with code 78. An unknown variable that is
  one mistake away from a known one (\`SESION_KEYS\`) is such a problem in production.
- An option that is a list of texts may also be one text.
`

const providersIntroduction = `
\`P\` stands for the provider's name in capitals: \`PROCESS_STREET_CLIENT_ID\` for \`process-street\`. As options they are given to
the definition: \`processStreet({ clientId, clientSecret })\`.
`

/** From the table of meanings, and from what the code itself reads. */
export async function configurationPage(): Promise<string> {
  const definitions = await loadProviders()
  const examples = exampleVariables(definitions)
  const [provider] = definitions.filter(({ methods }) => methods.oauth2).slice(-1)
  if (!provider) throw new Error('No definition has OAuth, which the examples of the providers need.')
  const prefix = `${variablePrefix(provider)}_`

  const groups = variableGroups.map(({ title, variables }) => {
    const rows = Object.entries(variables).map(([name, { meaning, fallback, example: given }]) => {
      const known = name.replace(/^P_/, prefix)
      const example = given ?? examples.get(known)
      if (example === undefined) throw new Error(`Nothing reads the variable ${known}.`)
      const option = optionOf(name)
      const cells = [`\`${name}\``, option === undefined ? '–' : `\`${option}\``, meaning, fallback, `\`${example}\``]
      return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
    })
    const head = '| variable | option | meaning | default | example |\n| --- | --- | --- | --- | --- |\n'
    return `\n## ${title}\n${title === 'Providers' ? providersIntroduction : ''}\n${head}${rows.join('')}`
  })
  return introduction + groups.join('')
}
