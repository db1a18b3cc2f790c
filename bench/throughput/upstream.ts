import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../test/support/free-port.ts'
import { startNginx } from './nginx.ts'
import type { Workspace } from './workspace.ts'

/** Sizes in bytes of the upstream's responses, and of uploads. */
export const sizes = { small: 1024, large: 1024 * 1024, upload: 64 * 1024 } as const

/**
 * Starts the API behind every system. It is an nginx, since it shares its core with the load and must not become the bottleneck.
 * `/api/small` and `/api/large` are JSON, `/api/upload` reads the whole body before it responds, `/api/who` returns the credential.
 * @returns its origin
 */
export async function startUpstream(place: Workspace): Promise<string> {
  const port = await freePort()
  await writeFile(join(place.directory, 'large'), largeJson())
  await startNginx(place, 'upstream', {
    // Without this optional module, nginx responds to a POST before it has read the body.
    modules: ['ngx_http_echo_module.so'],
    accessLog: false,
    tested: false,
    http: `
      default_type application/json;
      open_file_cache max=10;
      # Longer than a system waits for its turn, so that its idle connections stay open.
      keepalive_timeout 1h;
      client_body_buffer_size 128k;
      server {
        listen 127.0.0.1:${port};
        root ${place.directory};
        location = /api/small { return 200 '${smallJson()}'; }
        location = /api/large { alias ${join(place.directory, 'large')}; }
        location = /api/upload { echo_read_request_body; echo -n '{"bytes":"$content_length"}'; }
        location = /api/who { return 200 '{"authorization":"$http_authorization","cookie":"$http_cookie"}'; }
      }`,
    port
  })
  return `http://127.0.0.1:${port}`
}

const smallJson = () => pad(JSON.stringify({ data: [{ id: 1, title: 'A note', text: '' }] }), sizes.small)

/** A list of records as an API returns it, without insignificant whitespace. */
function largeJson(): string {
  const record = JSON.stringify({ id: 1, title: 'A note', text: '' })
  const records = Array.from({ length: sizes.large / 1024 }, () => pad(record, 1023))
  const [last = ''] = records
  // Brackets and commas add one byte per record, plus one.
  return `[${[...records.slice(1), last.replace('x', '')].join(',')}]`
}

/** Pads the last empty string to reach `bytes`. */
function pad(json: string, bytes: number): string {
  const at = json.lastIndexOf('""') + 1
  return json.slice(0, at) + 'x'.repeat(bytes - json.length) + json.slice(at)
}
