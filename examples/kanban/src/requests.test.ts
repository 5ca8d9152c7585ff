import { expect, it } from 'vitest'
import { adviceFrom } from './advice.ts'
import { asksForPlan, understand } from './requests.ts'

const list = (input: object) => ({ tool: 'list_tasks', input })
const move = (id: number, column: string) => ({ tool: 'move_task', input: { id, column } })
const create = (title: string, assignee?: string) => ({
  tool: 'create_task',
  input: { title, ...(assignee ? { assignee } : {}) },
})
const assign = (id: number, assignee: string) => ({ tool: 'assign_task', input: { id, assignee } })
const remove = (id: number) => ({ tool: 'delete_task', input: { id } })
const ask = (message: string) => ({ tool: 'delegate_to_agent', input: { agent: 'planner', message } })

it.each([
  ['what is on the board?', list({})],
  ["What's on the board", list({})],
  ['Show me the board, please!', list({})],
  ['list all tasks', list({})],
  ['list', list({})],
  ['the board', list({})],
  ['which tasks are there?', list({})],
  ['show tasks in doing', list({ column: 'doing' })],
  ['please list tasks in doing', list({ column: 'doing' })],
  ['show the todo column', list({ column: 'todo' })],
  ['list the done tasks', list({ column: 'done' })],
  ['which tasks are done?', list({ column: 'done' })],
  ['what is alice working on?', list({ assignee: 'alice' })],
  ['What am I working on?', list({ assignee: 'sam' })],
  ['what’s Bob working on', list({ assignee: 'bob' })],
  ['show my tasks', list({ assignee: 'sam' })],
  ['What are my tasks?', list({ assignee: 'sam' })],
  ["list bob's tasks", list({ assignee: 'bob' })],
  ['which tasks are assigned to bob?', list({ assignee: 'bob' })],
  ['move task 2 to done', move(2, 'done')],
  ['move task #3 to todo', move(3, 'todo')],
  ['Please, move #3 to In Progress.', move(3, 'doing')],
  ['Could you please move the task 4 to the to do column?', move(4, 'todo')],
  ['move task 2 back to todo', move(2, 'todo')],
  ['mark task 3 as done', move(3, 'done')],
  ['Finish task 2', move(2, 'done')],
  ['start 3', move(3, 'doing')],
  ['create task Paint the door', create('Paint the door')],
  ['Add a new task: Buy milk for alice', create('Buy milk', 'alice')],
  ['create a task called "Fix it" for me', create('Fix it', 'sam')],
  ['add a new task: wait for delivery', create('wait for delivery')],
  ['Create task Plan for today!', create('Plan for today')],
  ['add "Sweep the yard" to the board', create('Sweep the yard')],
  ['assign task 3 to bob', assign(3, 'bob')],
  ['give 3 to me', assign(3, 'sam')],
  ['what is the weather?', undefined],
  ['what is everyone working on?', undefined],
  ["don't show the board", undefined],
  ['@planner what is bob working on?', list({ assignee: 'bob' })],
  ['delete task 2', remove(2)],
  ['Please remove the task #3 from the board.', remove(3)],
  ['ask the planner what is next', ask('what is next')],
  ['Ask planner: what should I do next?', ask('what should I do next')],
  ["what's next?", ask("what's next")],
  ['What should we do?', ask('What should we do')],
  ['delete everything', undefined],
  ['delete tasks 1 and 2', undefined],
  ['ask the planner', undefined],
  ['add task 3 to done', undefined],
  ['create a task for me', undefined],
  ['move task 1 to doing and task 2 to done', undefined],
  ['assign task 1 to zebulon', undefined],
  ['', undefined],
])('%s', (text, request) => {
  expect(understand(text, 'sam')).toEqual(request)
})

it.each([
  ['what is next?', true],
  ['@planner, what should I do now?', true],
  ['What comes next, please?', true],
  ['what is next to the house?', false],
  ['delete task 2', false],
])('asks for a plan, or not: %s', (text, asks) => {
  expect(asksForPlan(text)).toBe(asks)
})

it.each([
  ['1. A [done]\n2. B [todo]\n3. C [doing], bob', 'Next is 3. C [doing], bob. After it comes 2. B [todo].'],
  ['1. A [done]\n2. B [todo]', 'Next is 2. B [todo].'],
  ['1. A [done]', 'Nothing is left to be done.'],
  ['There are no such tasks.', 'Nothing is left to be done.'],
])('advises by rule: %j', (tasks, advice) => {
  expect(adviceFrom(tasks)).toBe(advice)
})
