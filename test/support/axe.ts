import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults, RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** The rules whose verdict depends on colours and widths. */
const ofLooks = ['color-contrast', 'link-in-text-block', 'scrollable-region-focusable', 'target-size']

/**
 * What axe-core finds wrong with the page as it is now, one line each: by every rule, those of good practice too, or only by those of
 * looks. It comes in over the DevTools protocol, which a content security policy does not stop, so that the page keeps its own.
 */
export async function violations(page: Page, rules: 'all' | 'of looks'): Promise<string[]> {
  if (!(await page.evaluate<boolean>('"axe" in window'))) await page.evaluate(source)
  const options: RunOptions = { resultTypes: ['violations'], ...(rules === 'of looks' && { runOnly: ofLooks }) }
  const { violations } = await page.evaluate<AxeResults>(`axe.run(${JSON.stringify(options)})`)
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html, any }) => `${id}: ${help}: ${html} ${any[0]?.message ?? ''}`))
}
