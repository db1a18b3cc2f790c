export type Page<Item> = { readonly items: readonly Item[]; readonly nextCursor: string | undefined }

/** A page of a list. The cursor is opaque; an invalid one starts at the first item. */
export function paginate<Item>(all: readonly Item[], cursor: string | null, size: number): Page<Item> {
  const start = Number(Buffer.from(cursor ?? '', 'base64url').toString()) || 0
  const end = start + size
  return { items: all.slice(start, end), nextCursor: end < all.length ? Buffer.from(String(end)).toString('base64url') : undefined }
}

/** A page size from a query, at most 100; `fallback` if it is absent or invalid. */
export const pageSize = (text: string | null, fallback: number): number => Math.min(Math.max(1, Math.trunc(Number(text)) || fallback), 100)

/** Sets a query parameter of a URL. */
export function withQuery(url: URL, name: string, value: string): string {
  const next = new URL(url)
  next.searchParams.set(name, value)
  return next.href
}
