import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { Browser } from '../support/browser.ts'
import { freePort } from '../support/free-port.ts'
import { installTarball } from '../support/installed-package.ts'
import { execNode, startNode, stopProcess } from '../support/node-process.ts'
import { oldestNode } from '../support/oldest-node.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const { project, manifest } = installTarball()
const entries = Object.keys(manifest.exports)
  .filter(entry => !entry.endsWith('.json') && entry !== './react')
  .map(entry => entry.replace('*', 'productboard'))
/** Below the project. */
const command = join('node_modules', 'grantkeeper', manifest.bin.grantkeeper)
const args = ['start']

const nodes = { 'the oldest Node.js': oldestNode(), 'the newest Node.js': process.execPath }

for (const [title, node] of Object.entries(nodes)) {
  t.test(`${title} imports and requires each entry`, async t => {
    for (const entry of entries.map(entry => JSON.stringify(entry.replace('.', 'grantkeeper')))) {
      // Node.js marks a required ES module that has a default export.
      const print = "console.log(Object.keys(entry).filter(name => name !== '__esModule').sort().join())"
      const imported = await execNode(['--input-type=module', '-e', `import * as entry from ${entry}; ${print}`], { node, cwd: project })
      t.match(imported.stdout, /\w/, entry)
      const required = await execNode(['--input-type=commonjs', '-e', `const entry = require(${entry}); ${print}`], { node, cwd: project })
      t.equal(required.stdout, imported.stdout, 'the same by require')
    }
  })

  t.test(`${title} starts the installed gateway with the sandbox in an empty folder`, async t => {
    const cwd = temporaryFolder(t)
    const gateway = await startNode(t, join(project, command), { PORT: `${await freePort()}`, SHUTDOWN_DELAY: '0' }, args, { node, cwd })
    t.equal((await fetch(`${gateway.url}/health/ready`)).status, 200)
    const client = await (await fetch(`${gateway.url}/client.js`)).text()
    t.match(client, 'export function createClient')
    t.notMatch(client, 'sourceMappingURL', 'whose file is not served')
    const page = await fetch(`${gateway.url}/connect/productboard`)
    t.equal(page.status, 200)
    t.match(await page.text(), 'Sign in at Productboard')
    const browser = new Browser()
    await browser.connect(gateway.url, 'productboard')
    t.equal((await browser.fetch(`${gateway.url}/proxy/productboard/v2/notes`)).status, 200)
    t.equal(await stopProcess(gateway), 0)
    t.notMatch(gateway.output(), /Error|Deprecat/)
  })
}

t.test('a definition in TypeScript, where nothing is installed, runs on the oldest Node.js', async t => {
  const cwd = temporaryFolder(t)
  const options = { node: oldestNode(), cwd }
  await execNode([join(project, command), 'providers', 'new', 'acme', '--ts'], options)
  const { stdout } = await execNode([join(project, command), 'providers', 'check', 'acme.ts'], options)
  t.match(stdout, 'acme.ts: acme is valid.')
  const environment = { PORT: `${await freePort()}`, SHUTDOWN_DELAY: '0', PROVIDERS_FROM: 'acme.ts', PROVIDERS: 'acme' }
  const gateway = await startNode(t, join(project, command), environment, args, options)
  const browser = new Browser()
  await browser.connect(gateway.url, 'acme')
  t.equal((await browser.fetch(`${gateway.url}/proxy/acme/orders`)).status, 200)
})

t.test('npx runs the installed command', async t => {
  const version = execFileSync('npx', ['--no', '--', manifest.name, '--version'], { cwd: project, encoding: 'utf8' })
  t.equal(version, `${manifest.version}\n`)
})
