import { InvalidGrant } from 'oidc-provider/lib/helpers/errors.js'
import type { Adapter } from 'oidc-provider/lib/provider.js'
import type { SavedGrants } from './grant-file.ts'

/** One vendor's tokens, codes, grants and interactions, in memory. */
export type GrantStore = {
  /** The adapter for one of oidc-provider's models. */
  adapter(model: string): Adapter
  /** Whether a refresh token was exchanged before, even if its grant has ended. */
  wasConsumed(refreshToken: string): boolean
  /** Deletes all items of these models. */
  clear(...models: string[]): void
}

type Item = { readonly payload: Record<string, unknown>; readonly expiresAtMs: number; consumedAtMs?: number }

/** Sessions are not stored, so that every authorization shows the consent page. */
const unsavedModels = new Set(['Session'])

type GrantStoreOptions = {
  readonly graceMs: () => number
  /** Items of each model; beyond it the oldest are evicted. */
  readonly maxItems?: number
  readonly saved?: SavedGrants | undefined
  readonly onChange?: (readGrants: () => SavedGrants) => void
}

export function createGrantStore({ graceMs, maxItems = 100_000, saved, onChange = () => {} }: GrantStoreOptions): GrantStore {
  const models = new Map(saved?.models.map(([model, items]) => [model, new Map(items as Array<[string, Item]>)]))
  const consumed = new Set(saved?.consumed)

  const notifyChange = () =>
    onChange(() => ({
      // Sign-ins in flight are not saved.
      models: ['AccessToken', 'RefreshToken', 'Grant'].map(model => [model, [...itemsOf(model)]]),
      consumed: [...consumed]
    }))

  const itemsOf = (model: string) => {
    const items = models.get(model) ?? new Map<string, Item>()
    models.set(model, items)
    return items
  }
  const isConsumed = (item: Item) => item.consumedAtMs !== undefined && item.consumedAtMs + graceMs() <= Date.now()

  function dropGrant(items: Map<string, Item>, grantId: unknown) {
    for (const [id, { payload }] of items) if (payload.grantId === grantId) items.delete(id)
  }

  function adapter(model: string): Adapter {
    const items = itemsOf(model)
    return {
      async upsert(id, payload, expiresInSeconds) {
        if (unsavedModels.has(model)) return
        const now = Date.now()
        items.set(id, { payload, expiresAtMs: now + expiresInSeconds * 1000 })
        notifyChange()
        // Items of one model have equal lifetimes, so they expire in insertion order.
        for (const [oldest, { expiresAtMs }] of items) {
          if (expiresAtMs > now && items.size <= maxItems) break
          items.delete(oldest)
        }
      },
      async find(id) {
        const item = items.get(id)
        return item && isConsumed(item) ? { ...item.payload, consumed: item.consumedAtMs } : item?.payload
      },
      async consume(id) {
        const item = items.get(id)
        // Two concurrent requests both pass oidc-provider's own check. Only this point decides which came first; the other is a reuse
        // (RFC 9700 §4.14.2) and revokes the grant.
        if (!item || isConsumed(item)) {
          if (item) revoke(item.payload.grantId)
          throw new InvalidGrant('already used')
        }
        item.consumedAtMs ??= Date.now()
        consumed.add(id)
        notifyChange()
        for (const oldest of consumed) {
          if (consumed.size <= maxItems) break
          consumed.delete(oldest)
        }
      },
      async destroy(id) {
        items.delete(id)
        notifyChange()
      },
      async revokeByGrantId(grantId) {
        dropGrant(items, grantId)
        notifyChange()
      }
    }
  }

  function revoke(grantId: unknown) {
    for (const items of models.values()) dropGrant(items, grantId)
    itemsOf('Grant').delete(String(grantId))
    notifyChange()
  }

  return {
    adapter,
    wasConsumed: refreshToken => consumed.has(refreshToken),
    clear(...models) {
      for (const model of models) itemsOf(model).clear()
      notifyChange()
    }
  }
}
