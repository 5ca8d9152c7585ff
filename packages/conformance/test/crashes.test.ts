import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CrashOptions, type CrashReport, crashEverywhere, describeCrashes } from '@orra/conformance'
import { describe, expect, it } from 'vitest'

async function place() {
  const folder = await mkdtemp(join(tmpdir(), 'orra-crashes-'))
  return { place: folder, dispose: () => rm(folder, { recursive: true }) }
}

const moduleOf = (name: string) => new URL(`./fixtures/${name}-app.ts`, import.meta.url)

async function reportsOf(app: string, options: Partial<CrashOptions> = {}): Promise<readonly CrashReport[]> {
  const reports: CrashReport[] = []
  const crashes = crashEverywhere({ module: moduleOf(app), place, againEvery: 0, ...options })
  for await (const report of crashes) reports.push(report)
  return reports
}

const problemsOf = (reports: readonly CrashReport[]) => reports.flatMap(({ problems }) => problems)
const kindsOf = (reports: readonly CrashReport[]) => new Set(problemsOf(reports).map(({ kind }) => kind))

describeCrashes('a small application', { module: moduleOf('small'), place })
describeCrashes('an application that waits for somebody', { module: moduleOf('waiting'), place, againEvery: 20 })
describeCrashes('an application whose answers are asked for again', { module: moduleOf('asking'), place })

describe('what is wrong is found:', () => {
  it('a store that forgets what it returned for', async () => {
    const reports = await reportsOf('forgetful', { at: 'after append input in user:bob #1' })
    expect(reports).toMatchObject([{ reached: true }])
    expect(problemsOf(reports)).toContainEqual({
      kind: 'lost',
      problem: 'entries of the session user:bob: 1 were written and 0 are there',
    })
  })

  it('a tool that is begun twice, because its beginning was forgotten', async () => {
    const [report] = await reportsOf('forgetful', { at: 'at progress of pay in user:bob #1' })
    expect(report?.problems.find(({ kind }) => kind === 'doubled')?.problem).toMatch(/^pay .* was begun 2 times$/)
  })

  it('a conversation that does not come to its end', async () => {
    const reports = await reportsOf('hanging', { at: 'after append input in user:bob #1', patienceMs: 3000 })
    expect([...kindsOf(reports)]).toEqual(['stuck'])
  })

  it('a run that stays suspended, although all is decided', async () => {
    const [report, ...others] = await reportsOf('deaf')
    expect(others).toEqual([])
    expect(report?.point).toBe(0)
    expect(report?.problems).toEqual([
      { kind: 'stuck', problem: expect.stringMatching(/^user:bob: the run .* is suspended and waits for nobody$/) },
    ])
  })

  it('a message without a key, which is accepted twice', async () => {
    const reports = await reportsOf('keyless', { at: 'after append run-ended in user:bob #1' })
    expect(kindsOf(reports)).toContain('doubled')
  })

  it('a model that says something else to the same conversation', async () => {
    const reports = await reportsOf('fickle', { at: 'before model call #2' })
    expect([...kindsOf(reports)]).toEqual(['different'])
  })

  it('an application whose own check fails, before any crash', async () => {
    expect(await reportsOf('forbidding')).toMatchObject([
      { point: 0, problems: [{ kind: 'failed', problem: 'The books do not balance.' }] },
    ])
  })
})

it.each(['before', 'after'])('goes on where a summary was written, killed %s that', async (when) => {
  const reports = await reportsOf('summing', { at: `${when} append compaction in user:bob #1` })
  expect(reports).toMatchObject([{ reached: true, problems: [] }])
})

it('says that a call is unknown, and does not call that wrong', async () => {
  const reports = await reportsOf('small', { at: 'after pay in user:bob #1' })
  expect(reports).toMatchObject([{ reached: true, problems: [] }])
})
