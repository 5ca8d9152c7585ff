import { OrraError } from '@orra/core'

export function noReply(): OrraError<'provider.bad-reply'> {
  const message =
    'What came back is no reply of the Responses API; is the base URL right (baseURL or OPENAI_BASE_URL)? For a server that ' +
    'speaks Chat Completions, use openaiCompatible.'
  return new OrraError('provider.bad-reply', message, { details: { provider: 'openai' } })
}

export function cutShort(): OrraError<'provider.connection'> {
  const message = 'The reply from OpenAI ended in the middle; try again.'
  return new OrraError('provider.connection', message, { details: { provider: 'openai' } })
}
