import { readdir } from 'node:fs/promises'
import type { Vendor } from './vendor.ts'

const folder = new URL('./vendors/', import.meta.url)

/** Every vendor of the folder, in the order of their file names. A new file is a new vendor. */
export async function loadVendors(): Promise<Vendor[]> {
  const files = (await readdir(folder)).filter(file => /(?<!\.d)\.[jt]s$/.test(file)).sort()
  const modules: { default: Vendor }[] = await Promise.all(files.map(file => import(new URL(file, folder).href)))
  return modules.map(module => module.default)
}
