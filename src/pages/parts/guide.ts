import type { OAuth2Method } from '../../core/provider/provider.ts'
import { type Html, html } from '../html.ts'

/** How a person gets there: numbered where there is more than one step, and which plans have it. */
export const guide = ({ steps, plan }: OAuth2Method['help']): Html =>
  html`${steps.length > 1 ? html`<ol class="steps">${steps.map(step => html`<li>${step}</li>`)}</ol>` : html`<p>${steps}</p>`}
${plan === undefined ? '' : html`<p class="plan"><strong>Good to know:</strong> ${plan}</p>`}`
