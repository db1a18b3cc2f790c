import t from 'tap'
import { type Linked, LinkedList } from '../../../src/core/util/linked-list.ts'

class Element implements Linked<Element> {
  readonly name: string
  previous: Element | undefined
  next: Element | undefined

  constructor(name: string) {
    this.name = name
  }
}

function listOf(...names: string[]) {
  const list = new LinkedList<Element>()
  const elements = names.map(name => new Element(name))
  for (const element of elements) list.add(element)
  return { list, elements, names: () => [...list].map(({ name }) => name) }
}

t.test('elements are iterated from the newest to the oldest', async t => {
  t.strictSame(listOf().names(), [])
  t.strictSame(listOf('a', 'b', 'c').names(), ['c', 'b', 'a'])
})

t.test('an element is removed from any place, once, and can be added again', async t => {
  for (const [index, rest] of [
    [0, ['c', 'b']],
    [1, ['c', 'a']],
    [2, ['b', 'a']]
  ] as const) {
    const { list, elements, names } = listOf('a', 'b', 'c')
    const element = elements[index] as Element
    t.equal(list.remove(element), true)
    t.strictSame(names(), rest)
    t.equal(list.remove(element), false)
    t.strictSame(names(), rest)
    list.add(element)
    t.strictSame(names(), [element.name, ...rest])
  }
})

t.test('a removed element refers to no other', async t => {
  const { list, elements } = listOf('a', 'b', 'c')
  list.remove(elements[1] as Element)
  t.match(elements[1], { previous: undefined, next: undefined })
})

t.test('an only element leaves an empty list', async t => {
  const { list, elements, names } = listOf('a')
  t.equal(list.remove(elements[0] as Element), true)
  t.strictSame(names(), [])
})

t.test('the element at hand may be removed during an iteration', async t => {
  const { list, names } = listOf('a', 'b', 'c')
  for (const element of list) if (element.name !== 'b') list.remove(element)
  t.strictSame(names(), ['b'])
})
