import { InvalidGrant } from 'oidc-provider/lib/helpers/errors.js'
import type { Adapter } from 'oidc-provider/lib/provider.js'
import type { Granted } from './grant-file.ts'

/** One vendor's tokens, codes, grants and interactions, in memory. */
export type GrantStore = {
  /** The part for one of oidc-provider's models. */
  adapter(model: string): Adapter
  /** Whether a refresh token was exchanged before, be its grant alive or not. */
  wasSpent(refreshToken: string): boolean
  /** Forgets all that these models hold. */
  forget(...models: string[]): void
}

type Item = { readonly payload: Record<string, unknown>; readonly expiresAtMs: number; spentAtMs?: number }

// Nobody stays signed in, so that every authorization asks again.
const unkept = new Set(['Session'])

type Options = {
  readonly graceMs: () => number
  /** Of each model; the oldest make room. */
  readonly maxItems?: number
  readonly granted?: Granted | undefined
  readonly onChange?: (granted: () => Granted) => void
}

export function grantStore({ graceMs, maxItems = 100_000, granted, onChange = () => {} }: Options): GrantStore {
  const shelves = new Map(granted?.shelves.map(([model, items]) => [model, new Map(items as Array<[string, Item]>)]))
  const spent = new Set(granted?.spent)

  const changed = () =>
    onChange(() => ({
      // Who is in the middle of a sign-in begins it again.
      shelves: ['AccessToken', 'RefreshToken', 'Grant'].map(model => [model, [...shelf(model)]]),
      spent: [...spent]
    }))

  const shelf = (model: string) => {
    const items = shelves.get(model) ?? new Map<string, Item>()
    shelves.set(model, items)
    return items
  }
  const isSpent = (item: Item) => item.spentAtMs !== undefined && item.spentAtMs + graceMs() <= Date.now()

  function dropGrant(items: Map<string, Item>, grantId: unknown) {
    for (const [id, { payload }] of items) if (payload.grantId === grantId) items.delete(id)
  }

  function adapter(model: string): Adapter {
    const items = shelf(model)
    return {
      async upsert(id, payload, expiresInSeconds) {
        if (unkept.has(model)) return
        const now = Date.now()
        items.set(id, { payload, expiresAtMs: now + expiresInSeconds * 1000 })
        changed()
        // One model's items live equally long, so the first ones end first.
        for (const [oldest, { expiresAtMs }] of items) {
          if (expiresAtMs > now && items.size <= maxItems) break
          items.delete(oldest)
        }
      },
      async find(id) {
        const item = items.get(id)
        return item && isSpent(item) ? { ...item.payload, consumed: item.spentAtMs } : item?.payload
      },
      async consume(id) {
        const item = items.get(id)
        // Of two requests at the same moment both have passed oidc-provider's own check. Only here is it certain who came
        // first; the other is a reuse like any other (RFC 9700 §4.14.2) and costs the grant.
        if (!item || isSpent(item)) {
          if (item) revoke(item.payload.grantId)
          throw new InvalidGrant('already used')
        }
        item.spentAtMs ??= Date.now()
        spent.add(id)
        changed()
        for (const first of spent) {
          if (spent.size <= maxItems) break
          spent.delete(first)
        }
      },
      async destroy(id) {
        items.delete(id)
        changed()
      },
      async revokeByGrantId(grantId) {
        dropGrant(items, grantId)
        changed()
      }
    }
  }

  function revoke(grantId: unknown) {
    for (const items of shelves.values()) dropGrant(items, grantId)
    shelf('Grant').delete(String(grantId))
    changed()
  }

  return {
    adapter,
    wasSpent: refreshToken => spent.has(refreshToken),
    forget(...models) {
      for (const model of models) shelf(model).clear()
      changed()
    }
  }
}
