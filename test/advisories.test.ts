import { readdir } from 'node:fs/promises'

// One process for all of them: each runs alone as well, `node test/advisories/NAME.ts`.
const folder = new URL('advisories/', import.meta.url)
for (const file of (await readdir(folder)).sort()) if (file.endsWith('.ts')) await import(new URL(file, folder).href)
