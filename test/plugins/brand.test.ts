import t from 'tap'
import { visitEveryPage } from '../support/every-page.ts'

const brand = { APP_NAME: 'Acme & Söhne', APP_COLOR: '0a7d5a' }

t.test('every page introduces the operator’s product, and Grantkeeper at its end', async t => {
  const { pages } = await visitEveryPage(t, { environment: brand })
  t.ok(pages.length > 10)
  for (const { name, text } of pages) {
    t.match(text, / · Acme &amp; Söhne<\/title>/, name)
    t.match(text, /<a class="site-name" href="\/"><img src="\/assets\/brand-\w+\.svg"[^>]*><bdi>Acme &amp; Söhne<\/bdi><\/a>/, name)
    t.match(
      text,
      /<footer class="site-footer"><p class="fine-print">by Grantkeeper<\/p><\/footer>\s*(<script [^>]*><\/script>\s*)*<\/body>/,
      name
    )
  }
})

t.test('who uses a connection is called by the name of the product', async t => {
  const { pages } = await visitEveryPage(t, { environment: brand })
  const page = (name: string) => pages.find(page => page.name === name)?.text
  t.match(page('nothing connected'), 'Choose the services that <bdi>Acme &amp; Söhne</bdi> may use for you.')
  t.match(page('one account'), '<bdi>Acme &amp; Söhne</bdi> can use it now.')
  t.match(page('reconnect'), 'that is what <bdi>Acme &amp; Söhne</bdi> can use for you')
  t.match(page('an invitation'), /the applications of <strong><bdi>Acme &amp; Söhne<\/bdi><\/strong> \(localhost:\d+\)/)
})

t.test('without a brand of the operator’s every page is Grantkeeper’s', async t => {
  const { pages } = await visitEveryPage(t)
  for (const { name, text } of pages) {
    t.match(text, / · Grantkeeper<\/title>/, name)
    t.notMatch(text, /by Grantkeeper|assets\/brand/, name)
  }
})

t.test('the colour comes in a stylesheet of its own, the icon has the initials', async t => {
  const { url, pages } = await visitEveryPage(t, { environment: brand })
  const [page] = pages
  const [stylesheet, icon] = ['css', 'svg'].map(ending => new RegExp(`/assets/brand-\\w{12}\\.${ending}`).exec(page?.text ?? '')?.[0])
  const styles = await fetch(url + stylesheet)
  t.equal(styles.headers.get('cache-control'), 'public, max-age=31536000, immutable')
  t.match(await styles.text(), '--accent: light-dark(#0a7d5a, #')
  const image = await fetch(url + icon)
  t.equal(image.headers.get('content-type'), 'image/svg+xml')
  const svg = await image.text()
  t.match(svg, 'fill="#0a7d5a"')
  t.match(svg, '>A&amp;</text>')
})

t.test('the policy of a page allows the logo, and nothing else elsewhere', async t => {
  const { url, pages } = await visitEveryPage(t, { environment: { APP_LOGO_URL: 'https://cdn.example.com/a;b,c/logo.svg?v=2' } })
  for (const { name, headers, text } of pages) {
    const policy = headers.get('content-security-policy') ?? ''
    const source = 'https://cdn.example.com/a%3Bb%2Cc/logo.svg'
    t.match(policy, `; img-src 'self' ${source};`, name)
    t.equal(policy.replace(` ${source}`, '').includes('cdn.example.com'), false, name)
    t.match(text, '<img src="https://cdn.example.com/a;b,c/logo.svg?v=2" alt=""', name)
  }
  const other = await fetch(`${url}/connections`)
  t.notMatch(other.headers.get('content-security-policy'), 'cdn.example.com', 'only pages show it')
})

t.test('two gateways in one process have brands of their own', async t => {
  const [acme, own] = [await visitEveryPage(t, { environment: brand }), await visitEveryPage(t, { environment: { APP_NAME: 'Other' } })]
  t.match(acme.pages[0]?.text, '<bdi>Acme &amp; Söhne</bdi>')
  t.match(own.pages[0]?.text, '<bdi>Other</bdi>')
  t.notMatch(own.pages[0]?.text, /assets\/brand-\w+\.css/)
})
