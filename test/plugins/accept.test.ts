import t from 'tap'
import { prefersPage } from '../../plugins/hooks/accept.ts'

t.test('RFC 9110 §12.5.1: a page is sent if Accept prefers HTML, JSON otherwise', async t => {
  for (const accept of [
    'text/html',
    'TEXT/HTML',
    'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7',
    'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'text/html, */*',
    'text/html;level=1;q=0.5, application/json;q=0.4',
    'text/*',
    'application/json;q=0.5, text/html;q=0.9',
    'application/json;q=0, text/html',
    'text/html;profile="a,b;q=0", */*;q=0.1',
    'text/html ; q = 0.3, */*;q=0.2'
  ])
    t.ok(prefersPage({ accept }), accept)
  for (const accept of [
    undefined,
    '',
    '*/*',
    'application/json',
    'application/problem+json',
    'application/json, text/plain, */*',
    'application/json, text/html;q=0.1',
    'text/html;q=0.1, application/json',
    'application/json, text/html',
    'text/html, application/json',
    'application/*, text/html;q=0.9',
    'text/html;q=0, */*',
    'text/html;q=0',
    'text/html;q=0.000, application/json;q=0.001',
    'text/plain',
    'text/event-stream',
    'image/avif,image/webp,*/*;q=0.8',
    'x-text/html',
    '*/*;q=0.1, text/html;q=0.05'
  ])
    t.notOk(prefersPage({ accept }), String(accept))
})

t.test('a fetch of a page never gets a page', async t => {
  t.notOk(prefersPage({ accept: 'text/html', 'sec-fetch-dest': 'empty' }))
  for (const destination of ['document', 'iframe']) t.ok(prefersPage({ accept: 'text/html', 'sec-fetch-dest': destination }))
})
