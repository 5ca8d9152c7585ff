/** Items of which the smallest comes first; of equal ones, the one that was put in first. Each item is in it once. */
export interface MinHeap<T> {
  readonly size: number
  /** The smallest. */
  first(): T | undefined
  /** Puts an item in, or to where it belongs with another size. */
  set(item: T, size: number): void
  delete(item: T): void
}

interface Node<T> {
  readonly item: T
  size: number
  order: number
}

export function minHeap<T>(): MinHeap<T> {
  const nodes: Node<T>[] = []
  const places = new Map<T, number>()
  let puts = 0

  const isLess = (a: Node<T>, b: Node<T>) => a.size < b.size || (a.size === b.size && a.order < b.order)

  function put(node: Node<T>, place: number): void {
    nodes[place] = node
    places.set(node.item, place)
  }

  /** Moves a node from a free place to where it belongs. */
  function sink(node: Node<T>, from: number): void {
    let place = from
    for (;;) {
      const left = 2 * place + 1
      const [a, b] = [nodes[left], nodes[left + 1]]
      const child = a && b && isLess(b, a) ? left + 1 : left
      const least = nodes[child]
      if (!least || !isLess(least, node)) break
      put(least, place)
      place = child
    }
    put(node, place)
  }

  function rise(node: Node<T>, from: number): void {
    let place = from
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = nodes[parent] as Node<T>
      if (!isLess(node, above)) break
      put(above, place)
      place = parent
    }
    sink(node, place)
  }

  return {
    get size() {
      return nodes.length
    },
    first: () => nodes[0]?.item,
    set(item, size) {
      const place = places.get(item)
      puts += 1
      if (place === undefined) {
        rise({ item, size, order: puts }, nodes.length)
        return
      }
      const node = nodes[place] as Node<T>
      node.size = size
      node.order = puts
      rise(node, place)
    },
    delete(item) {
      const place = places.get(item)
      if (place === undefined) return
      places.delete(item)
      const last = nodes.pop() as Node<T>
      if (last.item !== item) rise(last, place)
    },
  }
}
