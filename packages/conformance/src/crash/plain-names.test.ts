import { Namespace } from '@orra/core'
import { expect, it } from 'vitest'
import { plainNames } from './plain-names.ts'

const bob = Namespace.of('user', 'bob')
const [one, two] = ['A'.repeat(22), '-_'.repeat(11)] as const

it('numbers the places of sub-agents, each below its own caller and agent', () => {
  const nameOf = plainNames()
  const names = [
    bob,
    bob.child('agent', 'task', one),
    bob.child('agent', 'task', two),
    bob.child('agent', 'task', one, 'agent', 'planner', two),
    bob.child('agent', 'planner', two),
    bob.child('agent', 'task', two),
  ]
  expect(names.map(nameOf)).toEqual([
    'user:bob',
    'user:bob:agent:task:<1>',
    'user:bob:agent:task:<2>',
    'user:bob:agent:task:<1>:agent:planner:<1>',
    'user:bob:agent:planner:<1>',
    'user:bob:agent:task:<2>',
  ])
})

it('leaves all other names as they are', () => {
  const nameOf = plainNames()
  for (const namespace of [Namespace.of('agent', 'task', one), bob.child('agent', 'task', 'short'), bob.child(one)]) {
    expect(nameOf(namespace)).toBe(namespace.key)
  }
})
