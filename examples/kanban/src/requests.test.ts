import { expect, it } from 'vitest'
import { understand } from './requests.ts'

const list = (input: object) => ({ tool: 'list_tasks', input })
const move = (id: number, column: string) => ({ tool: 'move_task', input: { id, column } })
const create = (title: string, assignee?: string) => ({
  tool: 'create_task',
  input: { title, ...(assignee ? { assignee } : {}) },
})
const assign = (id: number, assignee: string) => ({ tool: 'assign_task', input: { id, assignee } })

it.each([
  ['what is on the board?', list({})],
  ["What's on the board", list({})],
  ['Show me the board, please!', list({})],
  ['list all tasks', list({})],
  ['which tasks are there?', list({})],
  ['show tasks in doing', list({ column: 'doing' })],
  ['which tasks are done?', list({ column: 'done' })],
  ['what is alice working on?', list({ assignee: 'alice' })],
  ['What am I working on?', list({ assignee: 'sam' })],
  ['what’s Bob working on', list({ assignee: 'bob' })],
  ['move task 2 to done', move(2, 'done')],
  ['Please move #3 to In Progress.', move(3, 'doing')],
  ['move the task 4 to the column to do', move(4, 'todo')],
  ['finish task 2', move(2, 'done')],
  ['start 3', move(3, 'doing')],
  ['create task Paint the door', create('Paint the door')],
  ['Add a new task: Buy milk for alice', create('Buy milk', 'alice')],
  ['create a task called "Fix it" for me', create('"Fix it"', 'sam')],
  ['assign task 3 to bob', assign(3, 'bob')],
  ['give 3 to me', assign(3, 'sam')],
  ['what is the weather?', undefined],
  ['delete task 2', undefined],
  ['', undefined],
])('%s', (text, request) => {
  expect(understand(text, 'sam')).toEqual(request)
})
