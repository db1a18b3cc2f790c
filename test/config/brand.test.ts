import t from 'tap'
import { readBrand } from '../../src/config/brand.ts'
import { type Environment, EnvironmentReader } from '../../src/config/environment.ts'
import { problemsOf, read as readConfig } from './support.ts'

function read(variables: Environment, production = false) {
  const env = new EnvironmentReader(variables)
  return { brand: readBrand(env, { production }), problems: env.problems }
}

t.test('without variables the pages have no brand of the operator’s', async t => {
  t.strictSame(read({}), { brand: {}, problems: [] })
})

t.test('name, logo and colour are read, each alone too', async t => {
  const logoUrl = 'https://cdn.example.com/acme/logo.svg?v=2'
  t.strictSame(read({ APP_NAME: 'Acme Café', APP_LOGO_URL: logoUrl, APP_COLOR: '#0A7D5A' }, true), {
    brand: { name: 'Acme Café', logoUrl, color: '#0a7d5a' },
    problems: []
  })
  t.strictSame(readConfig({ APP_NAME: 'Acme' }).brand, { name: 'Acme' })
})

t.test('a colour has six or three digits, with or without #', async t => {
  for (const [text, color] of [
    ['0a7d5a', '#0a7d5a'],
    ['#FC0', '#ffcc00'],
    ['fc0', '#ffcc00']
  ] as const)
    t.strictSame(read({ APP_COLOR: text }), { brand: { color }, problems: [] }, text)
  for (const text of ['green', '#12345', '##123456', 'rgb(1,2,3)', '#0a7d5a;}', '0a7d5a80'])
    t.strictSame(
      read({ APP_COLOR: text }).problems,
      [`APP_COLOR: ${JSON.stringify(text)} is not a colour of six or three hexadecimal digits, for example APP_COLOR=0a7d5a.`],
      text
    )
})

t.test('a name is one short line', async t => {
  t.strictSame(read({ APP_NAME: 'x'.repeat(40) }).problems, [])
  for (const name of ['x'.repeat(41), 'Acme\nInc', 'Acme \u202eknalB', 'Acme\u0000'])
    t.match(read({ APP_NAME: name }), { brand: { name: undefined }, problems: [/^APP_NAME must be one line of at most 40 characters/] })
})

t.test('a logo is one image at an absolute URL, by https in production', async t => {
  const example = 'for example APP_LOGO_URL=https://www.example.com/logo.svg.'
  for (const url of ['logo.svg', '/logo.svg', 'data:image/png;base64,AA', 'javascript:alert(1)', 'https://*.example.com/logo.svg'])
    t.strictSame(read({ APP_LOGO_URL: url }).problems, [`APP_LOGO_URL must be an absolute http or https URL, ${example}`], url)
  for (const url of ['https://cdn.example.com', 'https://cdn.example.com/images/', 'https://cdn.example.com/?logo=1'])
    t.strictSame(read({ APP_LOGO_URL: url }).problems, [`APP_LOGO_URL must be the URL of one image, not of a folder, ${example}`], url)
  t.match(read({ APP_LOGO_URL: 'https://u:p@example.com/a.svg' }).problems, [/user name or password/])
  t.strictSame(read({ APP_LOGO_URL: 'http://cdn.example.com/a.svg' }).problems, [])
  t.strictSame(read({ APP_LOGO_URL: 'http://cdn.example.com/a.svg' }, true).problems, [`APP_LOGO_URL must be https, ${example}`])
})

t.test('a brand that is not valid stops the start, with all of its problems at once', async t => {
  const problems = problemsOf({ APP_NAME: 'x'.repeat(99), APP_LOGO_URL: 'logo.svg', APP_COLOR: 'green' })
  t.equal(problems.length, 3)
})
