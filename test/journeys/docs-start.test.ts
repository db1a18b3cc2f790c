import { readFileSync } from 'node:fs'
import t from 'tap'
import { connect, newUser, startChromium } from '../support/chromium.ts'
import { startGatewayAndSandbox } from '../support/gateway.ts'

/** What docs/start.md has its reader type into the console of the browser, as it is printed. */
const [, typed = ''] = /^```js\n\/\/ console\n([\s\S]*?)^```$/m.exec(readFileSync('docs/start.md', 'utf8')) ?? []

t.test('the first call of docs/start.md is the provider’s response, on the page where the user has connected', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page } = await newUser(t, await startChromium(t))
  await page.goto(gateway.url)
  await connect(page, 'Productboard')
  // A console shows the value of the last line.
  const response = await page.evaluate(`(async () => { ${typed.trimEnd().replace(/\nawait (.*)$/, '\nreturn $1')} })()`)
  t.match(response, { data: [{ fields: { name: /\w/ } }] })
})
