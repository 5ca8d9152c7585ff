import type { Page } from '@orra/core'

/** The pages of a list, one after the other to the last. */
export async function pagesOf<T>(list: (after: { readonly after?: string }) => Promise<Page<T>>): Promise<T[][]> {
  const pages: T[][] = []
  for (let after: { readonly after?: string } = {}; ; ) {
    const { items, next } = await list(after)
    pages.push([...items])
    if (next === undefined) return pages
    after = { after: next }
  }
}

export function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index)
}
