import { expect } from 'vitest'
import { refused, thenBreak } from './answers.ts'
import { ask } from './asked.ts'
import { failureOf } from './heard.ts'
import type { Scenario } from './scenario.ts'

/** As the platform's `fetch` tells it. */
const TRANSIENT: { readonly [code: string]: string } = {
  ECONNREFUSED: 'connect ECONNREFUSED 127.0.0.1:1',
  ECONNRESET: 'read ECONNRESET',
  EAI_AGAIN: 'getaddrinfo EAI_AGAIN models.example',
  UND_ERR_CONNECT_TIMEOUT: 'Connect Timeout Error',
  UND_ERR_HEADERS_TIMEOUT: 'Headers Timeout Error',
  UND_ERR_SOCKET: 'other side closed',
}
const LASTING: { readonly [code: string]: string } = {
  ENOTFOUND: 'getaddrinfo ENOTFOUND models.example',
  CERT_HAS_EXPIRED: 'certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed certificate',
  ERR_TLS_CERT_ALTNAME_INVALID: "Hostname/IP does not match certificate's altnames",
}

/** Servers that cannot be reached. */
export function connectionScenarios(scenario: Scenario): void {
  scenario('that cannot be made now may be made later', async ({ serve }) => {
    for (const [code, message] of Object.entries(TRANSIENT)) {
      const { provider } = serve(() => Promise.reject(refused(code, message)))
      expect(await failureOf(provider, ask(), ['provider.connection'])).toMatchObject({ retryable: true })
    }
  })

  scenario('that cannot be made for its name or its certificate is told as such', async ({ serve }) => {
    for (const [code, message] of Object.entries(LASTING)) {
      const { provider } = serve(() => Promise.reject(refused(code, message)))
      await failureOf(provider, ask(), ['provider.connection'])
    }
  })

  scenario('that breaks in the middle may be made again', async ({ serve, wire }) => {
    const { provider } = serve((call) => {
      const { pieces, ...reply } = wire.reply({ model: 'model-1', text: ['Tomorrow ', 'it ', 'will ', 'rain.'] }, call)
      const beginning = pieces.join('').slice(0, pieces.join('').length / 2)
      return { ...reply, body: thenBreak([beginning], refused('UND_ERR_SOCKET', 'other side closed')) }
    })
    expect(await failureOf(provider, ask(), ['provider.connection'])).toMatchObject({ retryable: true })
  })

  scenario('that fails leaves the provider as it was', async ({ serve, wire }) => {
    const { provider, calls } = serve((call) => {
      if (calls.length === 1) throw refused('ECONNRESET', 'read ECONNRESET')
      const { pieces, ...reply } = wire.reply({ model: 'model-1', text: ['Yes.'] }, call)
      return { ...reply, body: pieces }
    })
    await failureOf(provider, ask(), ['provider.connection'])
    const types: string[] = []
    for await (const { type } of provider.stream(ask())) types.push(type)
    expect(types.at(-1)).toBe('finish')
  })
}
