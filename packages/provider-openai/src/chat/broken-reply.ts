import { OrraError } from '@orra/core'

export function noReply(provider: string): OrraError<'provider.bad-reply'> {
  const message = 'What came back is no reply of the Chat Completions API; is the base URL right?'
  return new OrraError('provider.bad-reply', message, { details: { provider } })
}

export function namelessCall(provider: string): OrraError<'provider.bad-reply'> {
  const message = 'The reply calls a tool without naming it; does the server support tools with this model?'
  return new OrraError('provider.bad-reply', message, { details: { provider } })
}

export function cutShort(provider: string): OrraError<'provider.connection'> {
  const message = 'The reply ended in the middle; try again.'
  return new OrraError('provider.connection', message, { details: { provider } })
}

export function gaveUp(provider: string): OrraError<'provider.unavailable'> {
  const message = 'The server gave up in the middle of its reply; try again.'
  return new OrraError('provider.unavailable', message, { details: { provider } })
}
