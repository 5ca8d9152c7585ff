import { createHash } from 'node:crypto'
import { blocksOf, type Fields, listOf } from './legal-fields.ts'

/** Counted in blocks. */
export interface CachedCall {
  readonly sent: number
  readonly read: number
  /** Up to the end of the last message in which the user said something. */
  readonly spoken: number
}

const LOOKBACK_BLOCKS = 20

/**
 * How the provider's prompt cache works, by its documents: a call keeps the prompt up to each of its marks; it reads the
 * longest that was kept and ends at one of its marks or up to 20 blocks before, the mark's own included. Some models
 * forget the thinking of a turn once the user speaks again.
 */
export function promptCache({ forgetsThinking = false } = {}) {
  const kept = new Set<string>()
  return (body: object): CachedCall => {
    const { tools, system, messages } = body as Fields
    const list = listOf(messages)
    const newest = list.findLastIndex(({ role, content }) => role === 'user' && !listOf(content).every(isResult))
    const blocks = [...listOf(tools), ...listOf(system)]
    let spoken = 0
    for (const [index, message] of list.entries()) {
      const isForgotten = forgetsThinking && index < newest
      blocks.push(...blocksOf(message).filter(({ type }) => !(isForgotten && type === 'thinking')))
      if (index === newest) spoken = blocks.length
    }
    const prefixes = prefixesOf(blocks)
    const marks = blocks.flatMap(({ cache_control: mark }, index) => (mark ? [index] : []))
    const read = Math.max(0, ...marks.map((mark) => found(kept, prefixes, mark)))
    for (const mark of marks) kept.add(prefixes[mark] ?? '')
    return { sent: blocks.length, read, spoken }
  }
}

function found(kept: ReadonlySet<string>, prefixes: readonly string[], mark: number): number {
  for (let index = mark; index >= 0 && index > mark - LOOKBACK_BLOCKS; index -= 1) {
    if (kept.has(prefixes[index] ?? '')) return index + 1
  }
  return 0
}

function prefixesOf(blocks: readonly Fields[]): readonly string[] {
  let before = ''
  return blocks.map(({ cache_control: _, ...block }) => {
    before = createHash('sha1').update(before).update(JSON.stringify(block)).digest('base64')
    return before
  })
}

function isResult({ type }: Fields): boolean {
  return type === 'tool_result'
}
