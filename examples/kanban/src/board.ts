import { DatabaseSync } from 'node:sqlite'

export const COLUMNS = ['todo', 'doing', 'done'] as const
type Column = (typeof COLUMNS)[number]

export interface Task {
  readonly id: number
  readonly title: string
  readonly column: Column
  readonly assignee: string | null
}

/** The application's own data: a company's board, here long before anybody talked to it. */
export interface Board extends Disposable {
  tasks(filter?: { readonly column?: Column | undefined; readonly assignee?: string | undefined }): readonly Task[]
  create(title: string, assignee?: string): Task
  /** Throws when there is no such task; so do `assign` and `delete`. */
  move(id: number, column: Column): Task
  assign(id: number, assignee: string): Task
  /** Gives back what is no longer there. */
  delete(id: number): Task
}

const FIRST_TASKS = `
  INSERT INTO task (title, column_name, assignee) VALUES
    ('Draw the house', 'done', 'bob'),
    ('Lay the foundation', 'doing', 'alice'),
    ('Order the windows', 'todo', 'bob'),
    ('Choose the colour of the door', 'todo', NULL);
`

/** Opens the board in a SQLite file, with a few tasks when it is new. */
export function openBoard(path: string): Board {
  const db = new DatabaseSync(path, { timeout: 5000 })
  db.exec('BEGIN IMMEDIATE')
  const isNew = db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'task'`).get() === undefined
  if (isNew) {
    db.exec(
      'CREATE TABLE task (id INTEGER PRIMARY KEY, title TEXT NOT NULL, column_name TEXT NOT NULL, assignee TEXT) STRICT',
    )
    db.exec(FIRST_TASKS)
  }
  db.exec('COMMIT')

  const fields = 'id, title, column_name AS "column", assignee'
  const one = (sql: string, id: number, ...values: string[]): Task => {
    const task = db.prepare(`${sql} RETURNING ${fields}`).get(...values, id) as Task | undefined
    if (!task) throw new Error(`There is no task ${id}.`)
    return { ...task }
  }

  return {
    tasks({ column, assignee } = {}) {
      const matching = `SELECT ${fields} FROM task WHERE (?1 IS NULL OR column_name = ?1) AND (?2 IS NULL OR assignee = ?2) ORDER BY id`
      return db.prepare(matching).all(column ?? null, assignee ?? null) as unknown as Task[]
    },
    create(title, assignee) {
      const insert = `INSERT INTO task (title, column_name, assignee) VALUES (?, 'todo', ?) RETURNING ${fields}`
      return db.prepare(insert).get(title, assignee ?? null) as unknown as Task
    },
    move: (id, column) => one('UPDATE task SET column_name = ? WHERE id = ?', id, column),
    assign: (id, assignee) => one('UPDATE task SET assignee = ? WHERE id = ?', id, assignee),
    delete: (id) => one('DELETE FROM task WHERE id = ?', id),
    [Symbol.dispose]: () => db.close(),
  }
}

/** One task in a line. */
export function taskLine({ id, title, column, assignee }: Task): string {
  return `${id}. ${title} [${column}]${assignee === null ? '' : `, ${assignee}`}`
}

/** The board as people draw it, a column below the other. */
export function boardLines(tasks: readonly Task[]): readonly string[] {
  return COLUMNS.flatMap((column) => {
    const inColumn = tasks.filter((task) => task.column === column)
    const lines = inColumn.map(
      ({ id, title, assignee }) => `  ${id}. ${title}${assignee === null ? '' : ` (${assignee})`}`,
    )
    return [`${column.toUpperCase()}`, ...(lines.length > 0 ? lines : ['  –'])]
  })
}
