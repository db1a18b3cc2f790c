import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { commandFile } from '../support/command.ts'
import { freePort } from '../support/free-port.ts'
import { runNode, startNode } from '../support/node-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** What an author does, in a folder outside of the repository and without node_modules. */
function author(t: Test) {
  const cwd = temporaryFolder(t)
  const environment = async () => ({ PORT: `${await freePort()}`, SHUTDOWN_DELAY: '0' })
  return {
    cwd,
    async run(variables: Readonly<Record<string, string>>, ...args: string[]) {
      const { child, output } = runNode(t, commandFile, { ...(await environment()), ...variables }, args, { cwd })
      const [code] = await once(child, 'close')
      return { code, output: output() }
    },
    start: async (variables: Readonly<Record<string, string>>) =>
      startNode(t, commandFile, { ...(await environment()), ...variables }, ['start'], { cwd })
  }
}

t.test('a definition in JSON outside of the repository: from nothing to a proxied call', async t => {
  const { cwd, run, start } = author(t)
  const begun = performance.now()
  t.match(await run({}, 'providers', 'new', 'acme'), { code: 0, output: 'acme.json is a definition to change' })
  t.match(await run({}, 'providers', 'check', 'acme.json'), { code: 0, output: 'acme.json: acme is valid.' })
  // The author's own vendor asks for the name of a shop.
  const file = join(cwd, 'acme.json')
  const definition = JSON.parse(readFileSync(file, 'utf8'))
  definition.parameters = { shop: { title: 'Shop', example: 'my-shop', suffix: '.acme.example.com' } }
  definition.api.baseUrl = 'https://{shop}.acme.example.com/v1'
  writeFileSync(file, JSON.stringify(definition))

  const gateway = await start({ PROVIDERS_FROM: 'acme.json', PROVIDERS: 'acme' })
  const browser = new Browser()
  const connected = await browser.submitConsent(await browser.visit(`${gateway.url}/auth/acme?shop=main`))
  t.match(connected.text, /Connected/)
  const response = await browser.fetch(`${gateway.url}/proxy/acme/orders?page=2`)
  t.equal(response.status, 200)
  t.match(await response.json(), { provider: 'acme', method: 'GET', path: '/orders' })
  t.comment(`${Math.round(performance.now() - begun)} ms with the author's thinking left out`)
})

t.test('a definition in TypeScript imports grantkeeper/provider from anywhere', async t => {
  const { run, start } = author(t)
  t.match(await run({}, 'providers', 'new', 'acme', '--ts'), { code: 0 })
  t.match(await run({}, 'providers', 'check', 'acme.ts'), { code: 0, output: 'acme is valid.' })
  const again = await run({}, 'providers', 'new', 'acme', '--ts')
  t.match(again, { code: 1, output: 'acme.ts exists already. It is left as it is.' })
  const gateway = await start({ PROVIDERS_FROM: './acme.ts', PROVIDERS: 'acme' })
  const browser = new Browser()
  await browser.connect(gateway.url, 'acme')
  t.equal((await browser.fetch(`${gateway.url}/proxy/acme/orders`)).status, 200)
})

t.test('what is wrong with definitions that would be offered is told at once, and exits with 78', async t => {
  const { cwd, run } = author(t)
  await run({}, 'providers', 'new', 'acme')
  const definition = JSON.parse(readFileSync(join(cwd, 'acme.json'), 'utf8'))
  delete definition.methods.oauth2.tokenUrl
  writeFileSync(join(cwd, 'acme.json'), JSON.stringify({ ...definition, colour: '#fff' }))
  writeFileSync(join(cwd, 'other.json'), '{ "name": "other"')
  const { code, output } = await run({ PROVIDERS_FROM: '.', PROVIDERS: 'acme,other', SESSION_IDLE: 'x' }, 'start')
  t.equal(code, 78)
  for (const problem of [
    / - acme\.json: methods\.oauth2\.tokenUrl is missing: it must be an https URL/,
    / - acme\.json: colour is not a field of a definition\. Did you mean color\?/,
    / - other\.json: cannot be loaded: /,
    / - SESSION_IDLE must be/
  ])
    t.match(output, problem)
  t.notMatch(output, /^ +at /m, 'no stack')
})

t.test('a start goes on beside a broken definition that is not offered, and says which of ours is replaced', async t => {
  const { cwd, run, start } = author(t)
  await run({}, 'providers', 'new', 'github')
  writeFileSync(join(cwd, 'broken.ts'), 'export default {')
  const gateway = await start({ PROVIDERS_FROM: '.', PROVIDERS: 'github' })
  t.match(gateway.output(), /Warning: github\.json replaces our definition of github/)
  t.match(gateway.output(), /Warning: broken\.ts: cannot be loaded: .+ This definition could not be offered\./)
})
