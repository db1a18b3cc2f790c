import type { Provider } from '../../core/provider/definition.ts'
import { askedOf } from '../../core/provider/parse-parameters.ts'
import type { PageContext } from '../context.ts'
import { type Html, html } from '../html.ts'
import { type Prefill, parameterField } from './fields.ts'

type SignInFormOptions = {
  /** Where the sign-in begins; with `get` its query is sent too. */
  readonly url: string
  readonly method: 'get' | 'post'
  /** Stands before the names of the parameters. */
  readonly namePrefix?: string
  readonly id?: string
  readonly label: string
  readonly prefill: Prefill
}

/** What the provider asks before a sign-in. Without its script, which says what is wrong, the browser does. */
export function signInForm(context: PageContext, provider: Provider, options: SignInFormOptions): Html {
  const { url, method, namePrefix = '', id, label, prefill } = options
  // A form that is sent by GET replaces the query of its address.
  const [action = '', query = ''] = method === 'get' ? url.split('?') : [url]
  return html`<form class="native-form sign-in-form"${id && html` id="${id}"`} method="${method}" action="${action}">
${[...new URLSearchParams(query)].map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
${Object.entries(askedOf(provider.parameters)).map(([name, parameter]) => parameterField(context, name, parameter, { id: `parameter-${name}`, inputName: namePrefix + name, kind: 'parameter', prefill }))}
<button>${label}</button>
</form>`
}
