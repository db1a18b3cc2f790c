import t from 'tap'
import packageJson from '../../package.json' with { type: 'json' }
import { whyNodeIsTooOld } from '../../src/cli/node-version.ts'

const oldest = packageJson.engines.node.replace('>=', '')

t.test('a Node.js that the package does not support is named, with what to do', async t => {
  for (const version of ['18.20.4', '20.20.2', '22.18.9', '21.99.0'])
    t.match(
      whyNodeIsTooOld(version, '/usr/bin/node'),
      `needs Node.js ${oldest} or later, and /usr/bin/node is ${version}. Install a newer one`
    )
})

t.test('one that it supports is not', async t => {
  for (const version of [`${oldest}.0`, '22.20.0', '23.0.0', '24.1.0', '100.0.0', process.versions.node])
    t.equal(whyNodeIsTooOld(version, 'node'), undefined, version)
})
