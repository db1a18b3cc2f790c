import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import t from 'tap'

/** A module of `src/browser` with what it imports, as a frontend's build makes it. */
async function bundle(name: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [new URL(`../../src/browser/${name}.ts`, import.meta.url).pathname],
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
    external: ['react']
  })
  return outputFiles[0]?.text ?? ''
}

t.test('the client is less than 4 kB in a frontend’s build', async t => {
  const code = await bundle('client')
  const gzipped = gzipSync(code, { level: 9 }).byteLength
  t.comment(`${code.length} bytes minified, ${gzipped} compressed`)
  t.ok(gzipped < 4096, `${gzipped} bytes`)
})

t.test('the client has no syntax that React Native cannot parse', async t => {
  t.notMatch(await bundle('client'), 'import.meta')
})

t.test('the React hooks bring nothing but themselves', async t => {
  const code = await bundle('react')
  t.same(code.match(/from"[^"]+"/g), ['from"react"'])
  t.notMatch(code, 'GrantkeeperError', 'the client is a type there')
})
