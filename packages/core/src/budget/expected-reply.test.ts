import { expect, it } from 'vitest'
import { expectedReply } from './expected-reply.ts'

it('is the longest reply until there was one, and then what is usual, never more than is asked for', () => {
  const replies = expectedReply()
  expect(replies.of(4000)).toBe(4000)
  replies.learn(100)
  expect(replies.of(4000)).toBe(150)
  expect(replies.of(50)).toBe(50)
  for (let reply = 0; reply < 50; reply += 1) replies.learn(1000)
  expect(replies.of(4000)).toBeGreaterThan(1400)
  expect(replies.of(4000)).toBeLessThanOrEqual(1500)
})
