import { IS_FRESH } from './namespace-index.ts'
import { defineScript } from './script.ts'

// Keys of each: state, log, inputs, fence; see keys.ts. The first argument is the clock, which defineScript explains.

const STATE = `
local function stateOf()
  local state = redis.call('HMGET', KEYS[1], 'id', 'length', 'epoch', 'created', 'updated', 'rest', 'listed', 'pending', 'owner', 'ends')
  local held = state[9] and tonumber(state[10]) > now
  return { state[1], state[2], state[3], state[4], state[5], state[6], state[7], state[8], held and 1 or 0 }
end
`

/** The state of a session; then, for each further argument, the place of the input with this key. */
export const READ_STATE = defineScript(`${STATE}
local answer = stateOf()
for index = 2, #ARGV do answer[8 + index] = redis.call('HGET', KEYS[3], ARGV[index]) end
return answer
`)

/**
 * Writes what was planned and answers the time, unless the session is no longer what the plan was made for; then the answer
 * is nothing. It is `unlisted` where a mark is no longer fresh. Arguments:
 * id, length and epoch that are expected; the new id, length and rest; marks, where a session is made or gets work,
 * `-` where its work is done; how many entries, the entries, and a key and place for each input among them.
 */
export const APPEND = defineScript(`${IS_FRESH}
local state = redis.call('HMGET', KEYS[1], 'id', 'length', 'epoch')
if (state[1] or '') ~= ARGV[2] or (state[2] or '0') ~= ARGV[3] or (state[3] or '0') ~= ARGV[4] then return false end
local inputs = 11 + ARGV[10]
for index = inputs, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[3], ARGV[index]) == 1 then return false end
end
for index = 8, 9 do
  if ARGV[index] ~= '' and ARGV[index] ~= '-' and not isFresh(ARGV[index]) then return 'unlisted' end
end
for index = 11, inputs - 1 do redis.call('RPUSH', KEYS[2], whole(now) .. ':' .. ARGV[index]) end
for index = inputs, #ARGV, 2 do redis.call('HSET', KEYS[3], ARGV[index], ARGV[index + 1]) end
redis.call('HSET', KEYS[1], 'id', ARGV[5], 'length', ARGV[6], 'rest', ARGV[7], 'updated', whole(now))
if not state[1] then redis.call('HSET', KEYS[1], 'epoch', '0', 'created', whole(now), 'listed', ARGV[8]) end
if ARGV[9] == '-' then redis.call('HDEL', KEYS[1], 'pending')
elseif ARGV[9] ~= '' then redis.call('HSET', KEYS[1], 'pending', ARGV[9]) end
return whole(now)
`)

/**
 * Takes the lease. Arguments: the epoch, which the answer `old` refuses with the last one; owner and time to live; id, rest and mark of a
 * session that is to be made. The answer is `held` by somebody else, `unlisted` without a fresh mark for a new session, or
 * `taken`, followed by the state.
 */
export const CLAIM = defineScript(`${STATE}${IS_FRESH}
local state = redis.call('HMGET', KEYS[1], 'id', 'epoch', 'owner', 'ends')
if state[3] and tonumber(state[4]) > now then return { 'held' } end
local last = state[2] or redis.call('GET', KEYS[4]) or '0'
if tonumber(ARGV[2]) <= tonumber(last) then return { 'old', last } end
if not state[1] then
  if not isFresh(ARGV[7]) then return { 'unlisted' } end
  redis.call('HSET', KEYS[1], 'id', ARGV[5], 'length', '0', 'rest', ARGV[6], 'listed', ARGV[7],
    'created', whole(now), 'updated', whole(now))
end
redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'owner', ARGV[3], 'ends', whole(now + ARGV[4]))
return { 'taken', unpack(stateOf()) }
`)

/** For the holder of a lease: arguments are the id, the epoch and the time to live. */
export const RENEW = defineScript(`
local state = redis.call('HMGET', KEYS[1], 'id', 'epoch')
if state[1] ~= ARGV[2] or state[2] ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], 'ends', whole(now + ARGV[4]))
return 1
`)

export const RELEASE = defineScript(`
local state = redis.call('HMGET', KEYS[1], 'id', 'epoch')
if state[1] == ARGV[2] and state[2] == ARGV[3] then redis.call('HDEL', KEYS[1], 'owner', 'ends') end
`)

/** Answers with the marks of what was removed. The last epoch stays until every claim that has begun is over. */
export const DELETE = defineScript(`
local state = redis.call('HMGET', KEYS[1], 'id', 'epoch', 'listed', 'pending')
if not state[1] then return false end
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3])
redis.call('SET', KEYS[4], state[2], 'PX', 3600000)
return { state[3], state[4] }
`)

/** Entries after a place, at most so many, and no more than reach so many characters: as texts `time:entry`. */
export const READ_LOG = defineScript(`
local first, left, most = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local found, size = {}, 0
while left > 0 do
  local texts = redis.call('LRANGE', KEYS[2], first, first + math.min(32, left) - 1)
  if #texts == 0 then break end
  for _, text in ipairs(texts) do
    found[#found + 1] = text
    size = size + #text
    if size > most then return found end
  end
  first, left = first + #texts, left - #texts
end
return found
`)
