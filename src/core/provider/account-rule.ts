import type { AccountLookup } from './definition.ts'
import { checkTarget, gatewayRequest } from './request-rules.ts'
import { both, list, object, oneOf, type Rule, rule } from './rules.ts'
import { pointer } from './text-rules.ts'

const names: Rule = rule({ anyOf: [pointer.schema, list(pointer).schema] }, (value, field, report) => {
  if (Array.isArray(value)) list(pointer)(value, field, report)
  else pointer(value, field, () => report(field, 'must be a JSON Pointer, such as /name, or a list of them'))
})

/**
 * An `AccountSource`: which fields belong together depends on where the account is from.
 * @param sources the documents that this method has
 * @param origins at which a look-up may send the credential
 */
export const accountRule = (sources: readonly string[], origins: readonly string[]): Rule =>
  both(
    object<AccountLookup>({
      required: { from: oneOf(...sources) },
      optional: { id: pointer, name: names, path: gatewayRequest.path, url: gatewayRequest.url }
    }),
    (account, field, report) => {
      const { from, id, name, path, url } = account
      if (id === undefined && (name === undefined || [name].flat().length === 0)) report(field, 'must have an id or a name')
      if (from === 'lookup') checkTarget(origins, false)(account, field, report)
      else if (path !== undefined || url !== undefined) report(`${field}.from`, "must be 'lookup' where there is a path or url")
    }
  )
