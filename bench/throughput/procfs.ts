// CPU time and memory as the kernel counts them: proc(5).
import { readdirSync, readFileSync } from 'node:fs'

/** USER_HZ of every Linux that Node runs on. */
const ticksPerSecond = 100

type Stat = { readonly pid: number; readonly parent: number; readonly ticks: number }

/** CPU seconds (user and system) of these processes and all their children, including children that have exited and been reaped. */
export function cpuSeconds(roots: readonly number[]): number {
  const ticks = withChildren(roots).reduce((sum, stat) => sum + stat.ticks, 0)
  return ticks / ticksPerSecond
}

/** Resident memory in MiB of these processes and all their children. For several processes it is their Pss: shared pages count once. */
export function residentMiB(roots: readonly number[]): number {
  const processes = withChildren(roots)
  const field = processes.length > 1 ? 'Pss' : 'Rss'
  const kibibytes = processes.map(({ pid }) => Number(new RegExp(`^${field}: +(\\d+)`, 'm').exec(read(`${pid}/smaps_rollup`))?.[1] ?? 0))
  return kibibytes.reduce((sum, size) => sum + size, 0) / 1024
}

/** Seconds since boot in which a core was busy or taken by the hypervisor (`steal`). */
export function busySeconds(core: number): number {
  const line = new RegExp(`^cpu${core} (.*)`, 'm').exec(read('stat'))?.[1] ?? ''
  // The later fields guest and guest_nice are already included in user and nice.
  const [user = 0, nice = 0, system = 0, _idle, _iowait, irq = 0, softirq = 0, steal = 0] = line.split(' ').map(Number)
  return (user + nice + system + irq + softirq + steal) / ticksPerSecond
}

function withChildren(roots: readonly number[]): Stat[] {
  const all = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => statOf(Number(name)) ?? [])
  const found = all.filter(({ pid }) => roots.includes(pid))
  // The array grows during the loop, which so reaches grandchildren.
  for (const { pid } of found) found.push(...all.filter(({ parent }) => parent === pid))
  return found
}

function statOf(pid: number): Stat | undefined {
  const text = read(`${pid}/stat`)
  if (text === '') return undefined
  // The name in parentheses may contain anything. After it: state, parent, …; utime, stime, cutime and cstime are the 12th to 15th.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
  return { pid, parent: Number(fields[1]), ticks }
}

function read(file: string): string {
  try {
    return readFileSync(`/proc/${file}`, 'utf8')
  } catch {
    // The process has exited.
    return ''
  }
}
