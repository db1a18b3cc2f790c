const maxEntries = 1_000
const maxNameCharacters = 100

/**
 * Caches a pure function of a name. The same few names recur, so nothing is evicted; both limits keep names that a client invents from
 * filling the cache.
 */
export function memoizeByName<T>(compute: (name: string) => T): (name: string) => T {
  const cache = new Map<string, T>()
  return name => {
    let value = cache.get(name)
    if (value === undefined) {
      value = compute(name)
      if (cache.size < maxEntries && name.length <= maxNameCharacters) cache.set(name, value)
    }
    return value
  }
}
