import { apiPages } from './api.ts'
import { configurationPage } from './configuration.ts'
import { errorsPage } from './errors.ts'
import { providerSchema } from './provider-schema.ts'
import { providersPage } from './providers.ts'

/** The pages of docs/reference, by name. */
export const referencePages = async (): Promise<Map<string, string>> =>
  new Map([
    ['configuration.md', await configurationPage()],
    ['errors.md', errorsPage()],
    ['provider.schema.json', providerSchema()],
    ['providers.md', await providersPage()],
    ...apiPages()
  ])
