import { type Parts, serve } from './serve.ts'

/** What a worker says to the process that watches over it. */
export type Ready = { readonly ready: string }
/** What that says to its workers. */
export const leaveNow = 'leave'

/** One gateway of several behind one port: it ends when it is told to, or when nobody watches over it any more. */
export async function work(parts: Omit<Parts, 'onReady'>): Promise<void> {
  const end = Promise.withResolvers<void>()
  process.on('message', message => {
    if (message === leaveNow) end.resolve()
  })
  process.on('disconnect', () => end.resolve())
  const { leave } = await serve({ ...parts, onReady: message => void process.send?.({ ready: message } satisfies Ready) })
  end.promise.then(leave)
}
