// Run by `npm run build`: writes the entry `grantkeeper/providers`, which exports each definition of the folder `providers` under its name in
// camel case. So a new provider is one new file here too. The entry is not in that folder, whose files are all read as definitions. Also writes
// the JSON Schema of definitions, which is made here and not copied: the build of the image has no documentation.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadProviders } from '../src/config/load-providers.ts'
import { providerSchema } from './reference/provider-schema.ts'

const dist = join(import.meta.dirname, '..', 'dist')

const exports = (await loadProviders(join(dist, 'providers'))).map(({ name, title, description }) => {
  const camelCase = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
  return `/** ${title}: ${description}. */\nexport { default as ${camelCase} } from '../providers/${name}.js'\n`
})
for (const file of ['providers.js', 'providers.d.ts']) writeFileSync(join(dist, 'src', file), exports.join(''))
writeFileSync(join(dist, 'provider.schema.json'), providerSchema())
