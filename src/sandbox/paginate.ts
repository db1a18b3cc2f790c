export type Page<Item> = { readonly items: readonly Item[]; readonly nextCursor: string | undefined }

/** A page of a list; a cursor is an opaque text, and one that makes no sense begins at the front. */
export function paginate<Item>(all: readonly Item[], cursor: string | null, size: number): Page<Item> {
  const start = Number(Buffer.from(cursor ?? '', 'base64url').toString()) || 0
  const end = start + size
  return { items: all.slice(start, end), nextCursor: end < all.length ? Buffer.from(String(end)).toString('base64url') : undefined }
}

/** A page size from a query: `fallback` when left out or senseless, and at most 100. */
export const pageSize = (text: string | null, fallback: number): number => Math.min(Math.max(1, Math.trunc(Number(text)) || fallback), 100)

/** The same address with another value in its query. */
export function withQuery(address: URL, name: string, value: string): string {
  const next = new URL(address)
  next.searchParams.set(name, value)
  return next.href
}
