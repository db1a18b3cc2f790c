/** Lets so many through at once. The others wait in the order of their coming, and leave when nobody waits for them any more. */
export type Lane = {
  /**
   * @param go called when there is room, at once if there is some
   * @returns to be called when the room is not needed any more, whether it was given or not; a second time does nothing
   */
  enter(go: () => void): () => void
}

export function createLane(width: number): Lane {
  const waiting = new Set<() => void>()
  let inside = 0

  return {
    enter(go) {
      let leave: () => void
      const start = () => {
        inside++
        leave = () => {
          leave = () => {}
          inside--
          const [next] = waiting
          if (next && waiting.delete(next)) next()
        }
        go()
      }
      leave = () => {
        leave = () => {}
        waiting.delete(start)
      }
      if (inside < width) start()
      else waiting.add(start)
      return () => leave()
    }
  }
}
