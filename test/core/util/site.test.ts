import t from 'tap'
import { siteOf } from '../../../src/core/util/site.ts'

t.test('hosts under one registrable domain are one site', async t => {
  for (const [a, b] of [
    ['app.example.com', 'connect.example.com'],
    ['example.com', 'a.b.example.com'],
    ['a.example.co.uk', 'example.co.uk'],
    ['a.mine.vercel.app', 'mine.vercel.app'],
    ['localhost', 'localhost'],
    ['127.0.0.1', '127.0.0.1'],
    ['[::1]', '[::1]']
  ] as const)
    t.equal(siteOf(a), siteOf(b), `${a} ${b}`)
})

t.test('public suffixes, single labels and IP addresses are not shared', async t => {
  for (const [a, b] of [
    ['example.com', 'example.org'],
    ['a.co.uk', 'b.co.uk'],
    ['a.com.au', 'b.com.au'],
    ['mine.vercel.app', 'other.vercel.app'],
    ['mine.up.railway.app', 'other.up.railway.app'],
    ['a.github.io', 'b.github.io'],
    ['localhost', '127.0.0.1'],
    ['app.localhost', 'localhost'],
    ['10.0.0.1', '11.0.0.1'],
    ['[::1]', '[::2]']
  ] as const)
    t.not(siteOf(a), siteOf(b), `${a} ${b}`)
})
