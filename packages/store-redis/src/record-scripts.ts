import { IS_FRESH } from './namespace-index.ts'
import { defineScript } from './script.ts'

// Keys of each: records, their order, the places of words, the words of records; see keys.ts. A record is a field
// `collection NUL id` with a text of four lines: version, times, value. The field `mark` holds the namespace's mark.
// The first argument is the clock, which defineScript explains.

/** Where a word occurs: members `word NUL collection NUL id`. */
const WORDS = `
local function forgetWords(field)
  local words = redis.call('HGET', KEYS[4], field)
  if not words then return end
  for word in string.gmatch(words, '[^ ]+') do redis.call('ZREM', KEYS[3], word .. '\\0' .. field) end
  redis.call('HDEL', KEYS[4], field)
end
local function versionOf(field)
  local text = redis.call('HGET', KEYS[1], field)
  if not text then return '0' end
  return string.match(text, '^%d+'), string.match(text, '^%d+\\n(%d+)')
end
`

/**
 * Arguments: field, the version that is asked for or nothing, the new version, value, words, and a mark where the namespace
 * has no record yet. Answers `conflict` and the version found, `late` and the version found when a higher one was written meanwhile,
 * `unlisted` without a fresh mark, or `put`, the time of making and the time.
 */
export const PUT = defineScript(`${WORDS}${IS_FRESH}
local field = ARGV[2]
local found, created = versionOf(field)
if ARGV[3] ~= '' and ARGV[3] ~= found then return { 'conflict', found } end
if tonumber(found) >= tonumber(ARGV[4]) then return { 'late', found } end
if redis.call('HEXISTS', KEYS[1], 'mark') == 0 then
  if not isFresh(ARGV[7]) then return { 'unlisted' } end
  redis.call('HSET', KEYS[1], 'mark', ARGV[7])
end
forgetWords(field)
created = created or whole(now)
redis.call('HSET', KEYS[1], field, table.concat({ ARGV[4], created, whole(now), ARGV[5] }, '\\n'))
redis.call('ZADD', KEYS[2], 0, field)
for word in string.gmatch(ARGV[6], '[^ ]+') do redis.call('ZADD', KEYS[3], 0, word .. '\\0' .. field) end
if ARGV[6] ~= '' then redis.call('HSET', KEYS[4], field, ARGV[6]) end
return { 'put', created, whole(now), redis.call('HGET', KEYS[1], 'mark') }
`)

/** Arguments: field and the version that is asked for or nothing. The namespace's mark is answered with its last record. */
export const DELETE = defineScript(`${WORDS}
local field = ARGV[2]
local found = versionOf(field)
if ARGV[3] ~= '' and ARGV[3] ~= found then return { 'conflict', found } end
if found == '0' then return { 'none' } end
forgetWords(field)
redis.call('HDEL', KEYS[1], field)
redis.call('ZREM', KEYS[2], field)
if redis.call('ZCARD', KEYS[2]) > 0 then return { 'deleted' } end
local mark = redis.call('HGET', KEYS[1], 'mark')
redis.call('DEL', KEYS[1])
return { 'deleted', mark }
`)

/** Removes all of a namespace: how many there were, and the mark. */
export const ERASE = defineScript(`
local count, mark = redis.call('ZCARD', KEYS[2]), redis.call('HGET', KEYS[1], 'mark')
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
return { count, mark }
`)

/** The records with these fields. */
export const GET = defineScript(`
local texts = {}
for index = 2, #ARGV do texts[index - 1] = redis.call('HGET', KEYS[1], ARGV[index]) end
return texts
`)

/** The mark, then fields in order: from, to and how many. */
export const FIELDS = defineScript(`
return { redis.call('HGET', KEYS[1], 'mark'), redis.call('ZRANGEBYLEX', KEYS[2], ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4]) }
`)

/** A collection and a NUL, or nothing for all; then words. Answers how many records there are, and how many have each word. */
export const COUNT = defineScript(`
local scope = ARGV[2]
local counts = { scope == '' and redis.call('ZCARD', KEYS[2]) or redis.call('ZLEXCOUNT', KEYS[2], '[' .. scope, '(' .. string.sub(scope, 1, -2) .. '\\1') }
for index = 3, #ARGV do
  local from = ARGV[index] .. '\\0' .. scope
  counts[index - 1] = redis.call('ZLEXCOUNT', KEYS[3], '[' .. from, '(' .. string.sub(from, 1, -2) .. '\\1')
end
return counts
`)

/**
 * The best so many records: a collection and a NUL, or nothing for all; how many; then words, each with its weight. Answers
 * with the score, field and text of each.
 */
export const BEST = defineScript(`
local scores, fields = {}, {}
for index = 4, #ARGV, 2 do
  local from = ARGV[index] .. '\\0' .. ARGV[2]
  for _, place in ipairs(redis.call('ZRANGEBYLEX', KEYS[3], '[' .. from, '(' .. string.sub(from, 1, -2) .. '\\1')) do
    local field = string.sub(place, #ARGV[index] + 2)
    if not scores[field] then fields[#fields + 1] = field end
    scores[field] = (scores[field] or 0) + ARGV[index + 1]
  end
end
table.sort(fields, function(a, b)
  if scores[a] ~= scores[b] then return scores[a] > scores[b] end
  return a < b
end)
local best = {}
for index = 1, math.min(#fields, tonumber(ARGV[3])) do
  local field = fields[index]
  best[index] = { string.format('%.17g', scores[field]), field, redis.call('HGET', KEYS[1], field) }
end
return best
`)
