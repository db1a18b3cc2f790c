// The app of react.test.ts: each component shows one thing, with a test client of `grantkeeper/testing`.
import { createElement as h, StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { ConnectButton, GrantkeeperProvider, useConnections, useGrantkeeper, useGrantkeeperFetch } from '../../src/browser/react.ts'
import { createTestClient } from '../../src/browser/testing.ts'

const client = createTestClient({
  connections: [
    { provider: 'acme', title: 'Acme', status: 'disconnected' },
    { provider: 'zenith', title: 'Zenith', status: 'reconnect_required' }
  ],
  responses: { 'GET acme /notes': ['a note'] },
  connectErrors: { zenith: 'access_denied' }
})

const List = () => {
  const { connections, error, isLoading } = useConnections()
  if (error) return h('p', null, `Error: ${error.message}`)
  if (!connections) return h('p', null, isLoading ? 'Loading' : 'Nothing')
  return h('ul', null, ...connections.map(({ provider, title, status }) => h('li', { key: provider }, `${title} is ${status}`)))
}

const Notes = () => {
  const fetchApi = useGrantkeeperFetch()
  const [text, setText] = useState('')
  const load = () =>
    fetchApi('acme', '/notes')
      .then(response => response.text())
      .then(setText, error => setText(error.code))
  return h('p', null, h('button', { type: 'button', onClick: load }, 'Load'), h('output', null, text))
}

const Disconnect = () => {
  const { disconnect } = useGrantkeeper()
  return h('button', { type: 'button', onClick: () => disconnect('acme') }, 'Disconnect')
}

const App = () => {
  const [error, setError] = useState('')
  return h(
    GrantkeeperProvider,
    { client },
    h(List),
    h(List),
    h(Notes),
    h(ConnectButton, { provider: 'acme', account: undefined, scopes: ['read'], className: 'own' }),
    h(ConnectButton, { provider: 'zenith', popup: false, onError: ({ code }) => setError(code) }),
    h(Disconnect),
    h('p', { role: 'alert' }, error)
  )
}

window.client = client
createRoot(document.getElementById('root')).render(h(StrictMode, null, h(App)))
