import { readdir } from 'node:fs/promises'

// Runs all of them in one process. Each also runs alone: `node test/advisories/NAME.ts`.
const folder = new URL('advisories/', import.meta.url)
for (const file of (await readdir(folder)).sort()) if (file.endsWith('.ts')) await import(new URL(file, folder).href)
