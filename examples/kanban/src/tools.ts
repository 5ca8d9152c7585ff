import { defineTool, type Tool } from '@orra/core'
import { z } from 'zod'
import { type Board, COLUMNS, taskLine } from './board.ts'
import { NAMES } from './people.ts'

const id = z.int().positive().describe('The number of the task')
const person = z.enum(NAMES).describe('A person of the company')

/** What the board offers to those who talk to it. */
export function boardTools(board: Board): readonly Tool[] {
  return [
    defineTool({
      name: 'list_tasks',
      description: 'Lists the tasks on the board, all of them or those of one column or one person.',
      input: z.object({ column: z.enum(COLUMNS).optional(), assignee: person.optional() }),
      readOnly: true,
      execute(filter) {
        const tasks = board.tasks(filter)
        return tasks.length === 0 ? 'There are no such tasks.' : tasks.map(taskLine).join('\n')
      },
    }),
    defineTool({
      name: 'create_task',
      description: 'Puts a new task on the board, in the column todo.',
      input: z.object({ title: z.string().min(1), assignee: person.optional() }),
      execute: ({ title, assignee }) => `Created: ${taskLine(board.create(title, assignee))}`,
    }),
    defineTool({
      name: 'move_task',
      description: 'Moves a task to another column.',
      input: z.object({ id, column: z.enum(COLUMNS) }),
      idempotent: true,
      execute: ({ id, column }) => `Moved: ${taskLine(board.move(id, column))}`,
    }),
    defineTool({
      name: 'assign_task',
      description: 'Gives a task to a person.',
      input: z.object({ id, assignee: person }),
      idempotent: true,
      execute: ({ id, assignee }) => `Assigned: ${taskLine(board.assign(id, assignee))}`,
    }),
    defineTool({
      name: 'delete_task',
      description: 'Takes a task off the board for good. A person must approve it first.',
      input: z.object({ id }),
      // What cannot be undone is asked about, always.
      destructive: true,
      execute: ({ id }) => `Deleted: ${taskLine(board.delete(id))}`,
    }),
  ]
}
