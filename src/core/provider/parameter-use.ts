import type { Provider } from './definition.ts'
import { mapRequestTemplates, mapTemplates } from './map-templates.ts'
import type { Report } from './rules.ts'
import { variablesIn } from './template.ts'

/** What users are asked for is used, and a suffix follows the value somewhere: else it is another one than the vendor's. */
export function checkUse(definition: Provider, report: Report): void {
  const templates: string[] = []
  const note = (template: string) => {
    templates.push(template)
    return template
  }
  const changes = { url: note, path: note, header: note, text: note }
  mapTemplates(definition, changes)
  mapRequestTemplates(definition, changes)
  const used = new Set(templates.flatMap(variablesIn))
  // The credential is placed without being named.
  const { key: _, ...fields } = definition.methods.apiKey?.fields ?? {}
  for (const [place, parameters] of Object.entries({ parameters: definition.parameters ?? {}, 'methods.apiKey.fields': fields }))
    for (const [name, { suffix }] of Object.entries(parameters)) {
      const field = `${place}.${name}`
      if (!used.has(name)) report(field, `is not used: write {${name}} in a URL, header or parameter, or remove it`)
      else if (suffix !== undefined && !templates.some(template => template.includes(`{${name}}${suffix}`)))
        report(`${field}.suffix`, `must follow {${name}} in a URL, as in https://{${name}}${suffix}`)
    }
}
