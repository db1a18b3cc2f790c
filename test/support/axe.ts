import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults, RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'
import type { Test } from 'tap'

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** The rules whose verdict depends on colours and widths. */
const ofLooks = ['color-contrast', 'link-in-text-block', 'scrollable-region-focusable', 'target-size']

/**
 * What axe-core finds wrong with the page as it is now, one line each: by every rule, those of good practice too, or only by those of
 * looks. It comes in over the DevTools protocol, which a content security policy does not stop, so that the page keeps its own.
 */
async function violations(page: Page, rules: 'all' | 'of looks'): Promise<string[]> {
  if (!(await page.evaluate<boolean>('"axe" in window'))) await page.evaluate(source)
  const options: RunOptions = { resultTypes: ['violations'], ...(rules === 'of looks' && { runOnly: ofLooks }) }
  const { violations } = await page.evaluate<AxeResults>(`axe.run(${JSON.stringify(options)})`)
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html, any }) => `${id}: ${help}: ${html} ${any[0]?.message ?? ''}`))
}

/** Each is a world of its own for contrast and for reflow (WCAG 1.4.3, 1.4.10). */
const looks = [
  { colorScheme: 'light', width: 1280, rules: 'all' },
  { colorScheme: 'dark', width: 1280, rules: 'of looks' },
  { colorScheme: 'dark', width: 320, rules: 'of looks' },
  { colorScheme: 'light', width: 320, rules: 'of looks' }
] as const

/** Whether a state of a page has nothing to complain of, and nothing to scroll sideways for, in every look. */
export function goodInEveryLook(t: Test, page: Page) {
  return async (state: string): Promise<void> => {
    for (const { colorScheme, width, rules } of looks) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: 640 })
      t.same(await violations(page, rules), [], `${state}, ${colorScheme}, ${width} px`)
      const needed = await page.evaluate<number>('document.documentElement.scrollWidth')
      t.ok(needed <= width, `${state}, ${width} px: needs ${needed}`)
    }
  }
}
