// The package entry `grantkeeper/react`: hooks and a button over a client of `grantkeeper/client`.

import {
  type ComponentPropsWithoutRef,
  createContext,
  createElement,
  type MouseEvent,
  type ReactElement,
  type ReactNode,
  useContext,
  useState,
  useSyncExternalStore
} from 'react'
import type { Client, Connection, ConnectOptions } from './client-types.ts'

export type ConnectionsState = {
  /** The last list of `client.connections()`. `undefined` until the first one arrives. */
  readonly connections: readonly Connection[] | undefined
  /** Why the last request failed; usually a `GrantkeeperError`. The list before it stays. */
  readonly error: unknown
  readonly isLoading: boolean
}

type Store = {
  /** The client. Whatever of it changes connections also reloads the list. */
  readonly client: Client
  readonly state: () => ConnectionsState
  readonly subscribe: (listener: () => void) => () => void
  readonly reload: () => Promise<void>
}

const initialState: ConnectionsState = { connections: undefined, error: undefined, isLoading: true }

/** All trees with one client share its list. */
const stores = new WeakMap<Client, Store>()

function storeOf(client: Client): Store {
  const store = stores.get(client) ?? createStore(client)
  stores.set(client, store)
  return store
}

function createStore(client: Client): Store {
  const listeners = new Set<() => void>()
  let state = initialState
  let lastRequest = 0
  const update = (change: Partial<ConnectionsState>) => {
    state = { ...state, ...change }
    for (const listener of listeners) listener()
  }

  async function reload(): Promise<void> {
    const request = ++lastRequest
    if (!state.isLoading) update({ isLoading: true })
    const outcome = await client.connections().then(
      connections => ({ connections, error: undefined }),
      (error: unknown) => ({ error })
    )
    // Responses may overtake each other: the last request decides.
    if (request === lastRequest) update({ ...outcome, isLoading: false })
  }

  /** The user may have changed something in another tab. */
  const onVisibilityChange = () => document.hidden || reload()
  const hasPage = typeof document === 'object'

  const reloading =
    <Arguments extends unknown[], Result>(method: (...args: Arguments) => Promise<Result>) =>
    (...args: Arguments): Promise<Result> =>
      method(...args).finally(() => {
        if (listeners.size > 0) reload()
      })

  return {
    client: {
      ...client,
      connect: reloading(client.connect),
      complete: reloading(client.complete as (end?: string) => Promise<Connection | undefined>) as Client['complete'],
      connectWithKey: reloading(client.connectWithKey),
      choose: reloading(client.choose),
      refresh: reloading(client.refresh),
      disconnect: reloading(client.disconnect),
      setDefault: reloading(client.setDefault),
      logout: reloading(client.logout),
      fetch: (...args) =>
        client.fetch(...args).catch(error => {
          // Only errors that a new connection fixes have a `connectUrl`: the list is out of date.
          if (error.connectUrl && listeners.size > 0) reload()
          throw error
        })
    },
    state: () => state,
    reload,
    subscribe: listener => {
      if (listeners.size === 0) {
        reload()
        if (hasPage) document.addEventListener('visibilitychange', onVisibilityChange)
      }
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0 && hasPage) document.removeEventListener('visibilitychange', onVisibilityChange)
      }
    }
  }
}

const StoreContext = createContext<Store | undefined>(undefined)

/**
 * Gives the hooks below it a client. Create the client once, outside of components.
 *
 * @example
 * const grantkeeper = createClient({ gateway: 'https://connect.example.com', token: getToken })
 * root.render(<GrantkeeperProvider client={grantkeeper}><App /></GrantkeeperProvider>)
 */
export const GrantkeeperProvider = ({ client, children }: { client: Client; children?: ReactNode }): ReactElement =>
  createElement(StoreContext.Provider, { value: storeOf(client) }, children)

const useStore = (): Store => {
  const store = useContext(StoreContext)
  if (store) return store
  throw new Error('No client here. Render <GrantkeeperProvider client={createClient(…)}> around this component.')
}

/** @returns the client. The list of `useConnections` follows what its methods change. */
export const useGrantkeeper = (): Client => useStore().client

/**
 * The user's connections. Requested when the first component asks for them, again when the page becomes visible and when something of
 * `useGrantkeeper` or a `ConnectButton` changes them.
 */
export function useConnections(): ConnectionsState & { readonly reload: () => Promise<void> } {
  const { subscribe, state, reload } = useStore()
  return { ...useSyncExternalStore(subscribe, state, () => initialState), reload }
}

/** @returns `fetch` of the client, the same function at each render */
export const useGrantkeeperFetch = (): Client['fetch'] => useStore().client.fetch

export type ConnectButtonProps = Omit<ComponentPropsWithoutRef<'button'>, 'onError'> &
  ConnectOptions & {
    provider: string
    onConnect?: (connection: Connection) => void
    /** Without it, an error is an unhandled rejection. */
    onError?: (error: unknown) => void
  }

/** A button that connects a provider in a popup, or with `popup={false}` by leaving the page. Further props are those of `<button>`. */
export function ConnectButton({
  provider,
  popup = true,
  account,
  scopes,
  parameters,
  loginHint,
  returnTo,
  onConnect,
  onError,
  children,
  disabled,
  onClick,
  ...button
}: ConnectButtonProps): ReactElement {
  const { client } = useStore()
  const { connections } = useConnections()
  const [isConnecting, setConnecting] = useState(false)
  const entry = connections?.find(connection => connection.provider === provider && (account === undefined || connection.id === account))
  const title = connections?.find(connection => connection.provider === provider)?.title ?? provider

  const connect = async () => {
    setConnecting(true)
    try {
      // No await before this: browsers open popups only during a click.
      const connection = await client.connect(provider, { popup, account, scopes, parameters, loginHint, returnTo })
      onConnect?.(connection)
    } catch (error) {
      if (!onError) throw error
      onError(error)
    } finally {
      setConnecting(false)
    }
  }

  return createElement(
    'button',
    {
      type: 'button',
      ...button,
      disabled: disabled || isConnecting,
      'aria-busy': isConnecting,
      onClick: (event: MouseEvent<HTMLButtonElement>) => {
        onClick?.(event)
        if (!event.defaultPrevented) connect()
      }
    },
    children ?? `${entry?.status === 'reconnect_required' ? 'Reconnect' : 'Connect'} ${title}`
  )
}
