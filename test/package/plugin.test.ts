import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connect, newUser, startChromium } from '../support/chromium.ts'
import { freePort } from '../support/free-port.ts'
import { startTestSandbox } from '../support/gateway.ts'
import { newProject } from '../support/installed-package.ts'
import { startNode, stopProcess } from '../support/node-process.ts'
import { oldestNode } from '../support/oldest-node.ts'

/** The application of docs/embedding.md, as it is printed. */
const [, application = ''] = /^```js\n\/\/ app\.js\n([\s\S]*?)^```$/m.exec(readFileSync('docs/embedding.md', 'utf8')) ?? []

const nodes = { 'the oldest Node.js': oldestNode(), 'the newest Node.js': process.execPath }

for (const [title, node] of Object.entries(nodes)) {
  t.test(`on ${title} the documented application calls what its user has connected`, async t => {
    const port = await freePort()
    const sandbox = await startTestSandbox(t, [], {
      redirectUris: vendor => [`http://localhost:${port}/integrations/auth/${vendor}/callback`]
    })
    const cwd = newProject(t)
    writeFileSync(join(cwd, 'app.js'), application)
    const environment = { ...sandbox.environment, PORT: `${port}` }
    const app = await startNode(t, join(cwd, 'app.js'), environment, [], { node, cwd, ready: /listening at (\S+?)"/ })

    const origin = `http://localhost:${port}`
    const before = await fetch(`${origin}/notes`)
    t.match([before.status, before.headers.get('grantkeeper-error')], [401, 'connection_required'])

    const { page, consoleErrors } = await newUser(t, await startChromium(t))
    await page.goto(`${origin}/integrations/`)
    await connect(page, 'Productboard')
    t.equal(new URL(page.url()).pathname, '/integrations/')
    t.same(consoleErrors, [])
    const notes = await page.goto(`${origin}/notes`)
    t.equal(notes?.status(), 200)
    t.match(await notes?.json(), { data: [{ fields: { name: /\w/ } }] })
    await stopProcess(app)
  })
}
