import type { AccountLookup } from './definition.ts'
import { isObject, type Rule, reportUnknown } from './rules.ts'

const known: ReadonlyArray<keyof AccountLookup> = ['from', 'id', 'name', 'path', 'url']

/**
 * An `AccountSource`: which fields belong together depends on where the account is from.
 * @param sources the documents that this method has
 * @param origins at which a look-up may send the credential
 */
export const accountRule =
  (sources: readonly string[], origins: readonly string[]): Rule =>
  (account, field, report) => {
    if (!isObject(account)) return report(field, 'must be an object')
    const { from, id, name, path, url } = account
    reportUnknown(account, known, field, report)
    if (!sources.includes(from as string)) report(`${field}.from`, `must be ${sources.map(source => `'${source}'`).join(' or ')}`)
    const names = name === undefined ? [] : [name].flat()
    if (id === undefined && names.length === 0) report(field, 'must have an id or a name')
    if (id !== undefined && !isPointer(id)) report(`${field}.id`, 'must be a JSON Pointer, such as /sub')
    if (!names.every(isPointer)) report(`${field}.name`, 'must be a JSON Pointer, such as /name, or a list of them')
    if (from !== 'lookup') {
      if (path !== undefined || url !== undefined) report(`${field}.from`, "must be 'lookup' where there is a path or url")
      return
    }
    if ((path === undefined) === (url === undefined)) report(field, 'must have a path or a url, for the look-up')
    if (path !== undefined && !(typeof path === 'string' && /^\/[^\s#]*$/.test(path)))
      report(`${field}.path`, 'must begin with a slash, without blank and fragment')
    if (url !== undefined && !isUrlAt(origins, url)) report(`${field}.url`, 'must be an https URL at the origin of api.baseUrl or tokenUrl')
  }

const isPointer = (value: unknown): boolean => typeof value === 'string' && /^(\/([^~]|~[01])*)*$/.test(value)

function isUrlAt(origins: readonly string[], value: unknown): boolean {
  const url = typeof value === 'string' ? URL.parse(value) : null
  return url?.protocol === 'https:' && url.username === '' && url.hash === '' && origins.includes(url.origin)
}
