import t from 'tap'
import { siteOf } from '../../src/config/sites.ts'

t.test('what may be one site to a browser, and what is not', async t => {
  const one = [
    ['https://app.example.com', 'https://connect.example.com:8443'],
    ['https://example.com', 'https://a.b.example.com'],
    ['https://a.example.co.uk', 'https://example.co.uk'],
    ['https://a.mine.vercel.app', 'https://mine.vercel.app'],
    ['http://localhost:3000', 'http://localhost:5173'],
    ['http://127.0.0.1:1', 'http://127.0.0.1:2'],
    ['http://[::1]:1', 'http://[::1]:2']
  ] as const
  for (const [a, b] of one) t.equal(siteOf(a), siteOf(b), `${a} ${b}`)
  const two = [
    ['https://app.example.com', 'http://app.example.com'],
    ['https://example.com', 'https://example.org'],
    ['https://a.co.uk', 'https://b.co.uk'],
    ['https://a.com.au', 'https://b.com.au'],
    ['https://mine.vercel.app', 'https://other.vercel.app'],
    ['https://mine.up.railway.app', 'https://other.up.railway.app'],
    ['https://a.github.io', 'https://b.github.io'],
    ['http://localhost', 'http://127.0.0.1'],
    ['http://app.localhost', 'http://localhost'],
    ['http://10.0.0.1', 'http://11.0.0.1'],
    ['http://[::1]', 'http://[::2]']
  ] as const
  for (const [a, b] of two) t.not(siteOf(a), siteOf(b), `${a} ${b}`)
})
