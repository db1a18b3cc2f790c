import t from 'tap'
import { resourcePolicyFor } from '../../plugins/hooks/same-site.ts'

const policy = (publicUrl: string, ...allowedOrigins: string[]) =>
  resourcePolicyFor(new URL(publicUrl), new Set([publicUrl, ...allowedOrigins]))

t.test('proxied responses are same-origin, unless an allowed origin is same-site', async t => {
  const own = 'https://connect.example.com'
  t.equal(policy(own), 'same-origin')
  for (const other of ['https://app.example.com', 'https://example.com', 'https://connect.example.com:8443', 'https://a.b.example.com'])
    t.equal(policy(own, other), 'same-site', other)
  for (const other of ['https://app.example.org', 'https://example.com.evil.example', 'https://notexample.com', 'http://127.0.0.1:5173'])
    t.equal(policy(own, other), 'same-origin', other)
  t.equal(policy(own, 'https://app.example.org', 'https://app.example.com'), 'same-site', 'one same-site origin is enough')
})

t.test('a host without a domain is one site, whatever the port', async t => {
  t.equal(policy('http://localhost:3000', 'http://localhost:5173'), 'same-site')
  t.equal(policy('http://127.0.0.1:3000', 'http://127.0.0.1:5173'), 'same-site')
  t.equal(policy('http://[::1]:3000', 'http://[::1]:5173'), 'same-site')
  t.equal(policy('http://10.0.0.1', 'http://20.0.0.1'), 'same-origin', 'two IP addresses with the same ending are two sites')
  t.equal(policy('http://localhost:3000', 'http://app:5173'), 'same-origin')
})
