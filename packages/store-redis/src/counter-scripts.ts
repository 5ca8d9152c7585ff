import { SETTLE_LATE_MS } from '@orra/core'
import { IS_FRESH } from './namespace-index.ts'
import { defineScript, type Script } from './script.ts'

/**
 * What all of them need. Keys: used, order, ends, reserved, reservations, live, late, marks; see keys.ts. A counter is a
 * field or member `namespace NUL counter NUL window`. A reservation is the text of its claims, each of five parts with a
 * NUL after it: namespace (empty once erased), counter, window, amount, end (empty for none). `live` and `late` are sorted
 * by when it runs out and when it is forgotten. Every answer begins with the namespaces that have no counter any more, each
 * with its mark.
 */
const COMMON = `${IS_FRESH}
local LATE = ${SETTLE_LATE_MS}
local gone = {}
local function rangeIn(namespace) return '[' .. namespace .. '\\0', '(' .. namespace .. '\\1' end

local function dropCounter(place)
  redis.call('HDEL', KEYS[1], place)
  redis.call('ZREM', KEYS[2], place)
  redis.call('ZREM', KEYS[3], place)
  local namespace = string.match(place, '^[^%z]*')
  if redis.call('ZLEXCOUNT', KEYS[2], rangeIn(namespace)) > 0 then return end
  local mark = redis.call('HGET', KEYS[8], namespace)
  if not mark then return end
  redis.call('HDEL', KEYS[8], namespace)
  gone[#gone + 1] = namespace
  gone[#gone + 1] = mark
end

local function claimsOf(text)
  local parts, claims = {}, {}
  for part in string.gmatch(text, '([^%z]*)%z') do parts[#parts + 1] = part end
  for index = 1, #parts, 5 do
    claims[#claims + 1] = {
      namespace = parts[index],
      place = parts[index] .. '\\0' .. parts[index + 1] .. '\\0' .. parts[index + 2],
      amount = parts[index + 3],
      ends = parts[index + 4],
      text = table.concat(parts, '\\0', index + 1, index + 4) .. '\\0',
    }
  end
  return claims
end

local function unreserve(claim)
  if claim.namespace == '' or claim.amount == '0' then return end
  if redis.call('HINCRBY', KEYS[4], claim.place, '-' .. claim.amount) <= 0 then redis.call('HDEL', KEYS[4], claim.place) end
end

local function sweep()
  for _, place in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', whole(now))) do dropCounter(place) end
  local over = redis.call('ZRANGEBYSCORE', KEYS[6], '-inf', whole(now), 'WITHSCORES')
  for index = 1, #over, 2 do
    for _, claim in ipairs(claimsOf(redis.call('HGET', KEYS[5], over[index]) or '')) do unreserve(claim) end
    redis.call('ZREM', KEYS[6], over[index])
    redis.call('ZADD', KEYS[7], over[index + 1] + LATE, over[index])
  end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[7], '-inf', whole(now))) do
    redis.call('HDEL', KEYS[5], id)
    redis.call('ZREM', KEYS[7], id)
  end
end

local function open(place, ends)
  if redis.call('HSETNX', KEYS[1], place, '0') == 0 then return end
  redis.call('ZADD', KEYS[2], 0, place)
  if ends ~= '' then redis.call('ZADD', KEYS[3], ends, place) end
end

-- Takes marks for namespaces that get their first counter; those that are not needed or too old are gone. What is still missing?
local function takeMarks(from, needed)
  local given, missing = {}, {}
  local function drop(namespace, mark)
    gone[#gone + 1] = namespace
    gone[#gone + 1] = mark
  end
  for index = from, #ARGV, 2 do
    if isFresh(ARGV[index + 1]) then given[ARGV[index]] = ARGV[index + 1] else drop(ARGV[index], ARGV[index + 1]) end
  end
  for _, namespace in ipairs(needed) do
    if redis.call('HEXISTS', KEYS[8], namespace) == 0 and not given[namespace] then missing[#missing + 1] = namespace end
  end
  if #missing > 0 then return missing end
  for _, namespace in ipairs(needed) do
    if given[namespace] and redis.call('HSETNX', KEYS[8], namespace, given[namespace]) == 1 then given[namespace] = nil end
  end
  for namespace, mark in pairs(given) do drop(namespace, mark) end
  return missing
end
`

const counterScript = (body: string): Script => defineScript(`${COMMON}\n${body}`)

/**
 * Arguments: id, time to live, how many claims, six for each (namespace, counter, window, end, amount, limit), and namespaces
 * with their marks. Answers `unlisted` and the namespaces that need a mark, `refused` and what is taken of each counter, or
 * `granted`.
 */
export const RESERVE = counterScript(`
sweep()
local taken, more, claims, needed, text = {}, {}, {}, {}, {}
local marksFrom = 5 + 6 * ARGV[4]
local fits = true
for index = 5, marksFrom - 1, 6 do
  local namespace, amount = ARGV[index], tonumber(ARGV[index + 4])
  local place = namespace .. '\\0' .. ARGV[index + 1] .. '\\0' .. ARGV[index + 2]
  local sum = (redis.call('HGET', KEYS[1], place) or 0) + (redis.call('HGET', KEYS[4], place) or 0)
  taken[#taken + 1] = whole(sum)
  if sum + (more[place] or 0) + amount > tonumber(ARGV[index + 5]) then fits = false end
  more[place] = (more[place] or 0) + amount
  claims[#claims + 1] = { place = place, amount = ARGV[index + 4], ends = ARGV[index + 3] }
  needed[#needed + 1] = namespace
  text[#text + 1] = table.concat({ place, ARGV[index + 4], ARGV[index + 3], '' }, '\\0')
end
if not fits then return { gone, 'refused', taken } end
local missing = takeMarks(marksFrom, needed)
if #missing > 0 then return { gone, 'unlisted', missing } end
for _, claim in ipairs(claims) do
  open(claim.place, claim.ends)
  if claim.amount ~= '0' then redis.call('HINCRBY', KEYS[4], claim.place, claim.amount) end
end
redis.call('HSET', KEYS[5], ARGV[2], table.concat(text))
redis.call('ZADD', KEYS[6], whole(now + ARGV[3]), ARGV[2])
return { gone, 'granted' }
`)

/** Arguments: id and time to live. Whether it still counts. */
export const EXTEND = defineScript(`
local ends = redis.call('ZSCORE', KEYS[6], ARGV[2])
if not ends or tonumber(ends) <= now then return 0 end
redis.call('ZADD', KEYS[6], whole(now + ARGV[3]), ARGV[2])
return 1
`)

/** Arguments: id, how many amounts, amounts, and namespaces with their marks. `none`, `unlisted` or `settled`. */
export const SETTLE = counterScript(`
sweep()
local text = redis.call('HGET', KEYS[5], ARGV[2])
if not text then return { gone, 'none' } end
local claims, counted, needed = claimsOf(text), {}, {}
for index, claim in ipairs(claims) do
  if claim.namespace ~= '' and (claim.ends == '' or tonumber(claim.ends) > now) then
    counted[#counted + 1] = { place = claim.place, ends = claim.ends, amount = index <= tonumber(ARGV[3]) and ARGV[3 + index] or '0' }
    needed[#needed + 1] = claim.namespace
  end
end
local missing = takeMarks(4 + ARGV[3], needed)
if #missing > 0 then return { gone, 'unlisted', missing } end
if redis.call('ZREM', KEYS[6], ARGV[2]) == 1 then
  for _, claim in ipairs(claims) do unreserve(claim) end
end
redis.call('ZREM', KEYS[7], ARGV[2])
redis.call('HDEL', KEYS[5], ARGV[2])
for _, claim in ipairs(counted) do
  open(claim.place, claim.ends)
  local used = redis.call('HGET', KEYS[1], claim.place) + claim.amount
  redis.call('HSET', KEYS[1], claim.place, whole(math.min(used, ${Number.MAX_SAFE_INTEGER})))
end
return { gone, 'settled' }
`)

/** Arguments: namespace, from and to, how many. Answers its mark, and place, used, reserved and end of each counter. */
export const LIST = counterScript(`
sweep()
local found = {}
for _, place in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], ARGV[3], ARGV[4], 'LIMIT', 0, ARGV[5])) do
  found[#found + 1] = {
    place,
    redis.call('HGET', KEYS[1], place),
    redis.call('HGET', KEYS[4], place) or '0',
    redis.call('ZSCORE', KEYS[3], place),
  }
end
return { gone, redis.call('HGET', KEYS[8], ARGV[2]), found }
`)

/** Argument: the namespace. How many counters there were of it and of those below. */
export const ERASE = counterScript(`
sweep()
local count = 0
local function dropRange(from, to)
  for _, place in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], from, to)) do
    dropCounter(place)
    count = count + 1
  end
end
dropRange(rangeIn(ARGV[2]))
dropRange('[' .. ARGV[2] .. ':', '(' .. ARGV[2] .. ';')
for _, id in ipairs(redis.call('HKEYS', KEYS[5])) do
  local texts, changed = {}, false
  local live = redis.call('ZSCORE', KEYS[6], id)
  for _, claim in ipairs(claimsOf(redis.call('HGET', KEYS[5], id))) do
    local namespace = claim.namespace
    if namespace == ARGV[2] or string.sub(namespace, 1, #ARGV[2] + 1) == ARGV[2] .. ':' then
      if live then unreserve(claim) end
      namespace, changed = '', true
    end
    texts[#texts + 1] = namespace .. '\\0' .. claim.text
  end
  if changed then redis.call('HSET', KEYS[5], id, table.concat(texts)) end
end
return { gone, count }
`)
