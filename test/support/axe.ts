import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults, RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import type { Evaluator } from './client-page.ts'

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** The rules whose results depend on colours and widths. */
const visualRules = ['color-contrast', 'link-in-text-block', 'scrollable-region-focusable', 'target-size']

/**
 * The violations that axe-core finds in the page, one line each. Playwright injects axe-core over the DevTools protocol, so that the page
 * keeps its content security policy.
 *
 * @param rules all rules, best practices included, or the visual ones only
 */
export async function violations(page: Evaluator, rules: 'all' | 'visual'): Promise<string[]> {
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(source)
  const options: RunOptions = { resultTypes: ['violations'], ...(rules === 'visual' && { runOnly: visualRules }) }
  const { violations } = (await page.evaluate(`axe.run(${JSON.stringify(options)})`)) as AxeResults
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html, any }) => `${id}: ${help}: ${html} ${any[0]?.message ?? ''}`))
}

/** For contrast and reflow (WCAG 1.4.3, 1.4.10). */
const variants = [
  { colorScheme: 'light', width: 1280, rules: 'all' },
  { colorScheme: 'dark', width: 1280, rules: 'visual' },
  { colorScheme: 'dark', width: 320, rules: 'visual' },
  { colorScheme: 'light', width: 320, rules: 'visual' }
] as const

/** Asserts that a state of a page has no violations and no horizontal scrolling in any variant. */
export function checkAccessibility(t: Test, page: Page) {
  return async (state: string): Promise<void> => {
    for (const { colorScheme, width, rules } of variants) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: 640 })
      t.same(await violations(page, rules), [], `${state}, ${colorScheme}, ${width} px`)
      const scrollWidth = await page.evaluate<number>('document.documentElement.scrollWidth')
      t.ok(scrollWidth <= width, `${state}, ${width} px: ${scrollWidth} px wide`)
    }
  }
}
