import { describe, expect, it } from 'vitest'
import { readCorpus } from './corpus.ts'
import { errorOf } from './count.ts'
import { median, reportOn, reportOnMixture } from './report.ts'

const texts = readCorpus()
const reports = texts.map(reportOn)

describe('the estimate of tokens', () => {
  it.each(reports)('of $name is near the truth', ({ name, whole, windows }) => {
    const most = name.startsWith('prose-') && name !== 'prose-english' ? 0.14 : 0.07
    expect(Math.abs(errorOf(whole))).toBeLessThan(most)
    expect(Math.max(...windows)).toBeLessThan(0.2)
  })

  it('is nearly as good for what was held out of fitting', () => {
    const errors = reports.map(({ heldOut }) => Math.abs(errorOf(heldOut)))
    expect(median(errors)).toBeLessThan(0.05)
    expect(Math.max(...errors)).toBeLessThan(0.16)
  })

  it('has a small error for most windows', () => {
    expect(median(reports.flatMap(({ windows }) => windows))).toBeLessThan(0.05)
  })

  it('is next to right for a conversation of which the last real count is known', () => {
    const anchored = reports.flatMap(({ totals }) => totals.anchored)
    expect(median(anchored)).toBeLessThan(0.015)
    expect(Math.max(...anchored)).toBeLessThan(0.16)
    const mixture = reportOnMixture(texts)
    expect(median(mixture.anchored)).toBeLessThan(0.003)
    expect(Math.max(...mixture.anchored)).toBeLessThan(0.04)
  })
})
