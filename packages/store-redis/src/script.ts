import { createHash } from 'node:crypto'

/** A Lua script that Redis runs alone, all or nothing. It touches only the keys it is given. */
export interface Script {
  readonly source: string
  readonly sha: string
}

/** The clock of every script: the application's, where its first argument gives one, or the server's. In milliseconds. */
const CLOCK = `
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local function whole(number) return string.format('%.0f', number) end
`

/**
 * A script whose first argument is the application's clock, or empty. Lua's own JSON would change numbers and empty lists,
 * so documents pass through as the texts they are.
 */
export function defineScript(body: string): Script {
  const source = CLOCK + body
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

/** The next number of a key, which is never given again; above another one, where Redis lost the last numbers of the key. */
export const NEXT = defineScript(`
local number = redis.call('INCR', KEYS[1])
local least = tonumber(ARGV[2]) + 1
if number >= least then return number end
redis.call('SET', KEYS[1], whole(least))
return least
`)
