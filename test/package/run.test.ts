import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Browser } from '../support/browser.ts'
import { freePort } from '../support/free-port.ts'
import { installTarball } from '../support/installed-package.ts'
import { execNode, runNode, startNode, stopProcess } from '../support/node-process.ts'
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

t.test('npx runs the installed command', async t => {
  const version = execFileSync('npx', ['--no', '--', manifest.name, '--version'], { cwd: project, encoding: 'utf8' })
  t.equal(version, `${manifest.version}\n`)
})

t.test('without its optional dependency a start with the sandbox says what to install', async t => {
  const cwd = temporaryFolder(t)
  const [modules, copy] = [project, cwd].map(folder => join(folder, 'node_modules')) as [string, string]
  // Only the package itself is copied, because Node.js looks for dependencies beside a link's target.
  cpSync(join(modules, manifest.name), join(copy, manifest.name), { recursive: true })
  for (const name of readdirSync(modules).filter(name => name !== manifest.name && name !== 'oidc-provider'))
    symlinkSync(join(modules, name), join(copy, name))
  const { child, output } = runNode(t, join(cwd, command), {}, args, { cwd })
  const [code] = await once(child, 'exit')
  t.equal(code, 78)
  t.match(output(), /oidc-provider, and it is not installed\. Install it with npm install --include=optional/)
  t.notMatch(output(), '    at ')
})
