import { expect } from 'vitest'
import { ask } from './asked.ts'
import { failureOf, SAID_BY_SERVER } from './heard.ts'
import type { Scenario, Tested } from './scenario.ts'

/** Servers that are none of this API, at an address that answers all the same. */
export function strangerScenarios(scenario: Scenario): void {
  const check = async ({ serve }: Tested, type: string, ...body: readonly string[]) => {
    const { provider } = serve(() => ({ status: 200, headers: { 'content-type': type }, body }))
    const failure = await failureOf(provider, ask(), ['provider.bad-reply'])
    expect(failure.retryable).toBe(false)
  }

  scenario('may be a page that says all is well', async (tested) => {
    await check(tested, 'text/html', `<!doctype html>\n<html>\n<body>\n${SAID_BY_SERVER}\n</body>\n</html>\n`)
  })

  scenario('may be JSON of another kind', async (tested) => {
    for (const json of ['{"ok":true}', '[]', '"hello"', 'null']) await check(tested, 'application/json', json)
  })

  scenario('may be an event of another kind', async (tested) => {
    await check(tested, 'text/event-stream', 'event: hello\ndata: {"hello":"world"}\n\n')
  })

  scenario('may be an event that is no JSON', async (tested) => {
    await check(tested, 'text/event-stream', `data: ${SAID_BY_SERVER} {"\n\n`)
  })
}
