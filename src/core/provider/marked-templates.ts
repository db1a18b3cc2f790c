import type { Provider } from './definition.ts'

/** A definition in which every template is its own path, as `api.baseUrl`, and the templates by their paths. */
export type MarkedTemplates = { readonly marked: Provider; readonly templates: ReadonlyMap<string, string> }

/** For problems, which name the field of a template: what maps templates gives the template alone. */
export function markTemplates(definition: Provider): MarkedTemplates {
  const templates = new Map<string, string>()
  const mark = (value: unknown, path: string): unknown => {
    if (typeof value === 'string' && value.includes('{')) {
      templates.set(path, value)
      return path
    }
    if (Array.isArray(value)) return value.map((one, i) => mark(one, `${path}[${i}]`))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, mark(one, `${path}.${name}`)]))
  }
  const { api, methods } = definition
  const marked = { ...definition, api: mark(api, 'api'), methods: mark(methods, 'methods') } as Provider
  return { marked, templates }
}
