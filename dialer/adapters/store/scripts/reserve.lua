-- Claim a batch. Claims are judged in order and each by itself: one sees what those before it took.
-- KEYS: run, lease, turn, stops, progress, held, in_flight.
-- ARGV: fence, owner, lease in ms, turn, campaign, prefix of the fact keys, s after which an untouched fact key goes,
-- records JSON, then one claim JSON a record.
-- A record is [attempt, lead, at, keep_from, [stop key], [fact key], [[key, max, since, [ignored disposition]]]].
-- Numbers that must keep every digit (attempt, at, keep_from, since) come as text, for Lua numbers print 14 digits.
-- Answers the refusals: [position, 'stopped', reason] | [position, 'held'] | [position, 'finished']
-- | [position, 'capped', position of the cap, `at` of the fact whose leaving frees a slot].
local RUN, LEASE, TURN, STOPS, PROGRESS, HELD, IN_FLIGHT = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local FENCE, OWNER, LEASE_MS, TURN_NO = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local CAMPAIGN, FACTS, IDLE_S = ARGV[5], ARGV[6], ARGV[7]
local FIRST_CLAIM = 8

if redis.call('GET', RUN) ~= FENCE then
  return redis.error_reply('FENCED a later run opened the campaign')
end
-- Sent over a link that was given up, and overtaken by a later call: its writer settled these claims long ago.
if tonumber(TURN_NO) <= tonumber(redis.call('GET', TURN) or 0) then
  return redis.error_reply('LATE a later call of this writer came before')
end
-- A lease that lapsed while nobody else opened the campaign is taken again: no write without one.
if redis.call('EXISTS', LEASE) == 0 then
  redis.call('SET', LEASE, FENCE .. '|' .. OWNER, 'PX', LEASE_MS)
end
redis.call('SET', TURN, TURN_NO)

local function stopped(stop_keys)
  for _, key in ipairs(stop_keys) do
    local reason = redis.call('HGET', STOPS, key)
    if reason then
      return reason
    end
  end
end

local function finished(lead)
  local progress = redis.call('HGET', PROGRESS, lead)
  return progress and cjson.decode(progress).status ~= 'ready'
end

-- The score of the fact whose leaving frees a slot; nil where the cap has room.
local function binding_fact(cap)
  local key, max, since, ignores = cap[1], cap[2], cap[3], {}
  for _, disposition in ipairs(cap[4]) do
    ignores[disposition] = true
  end
  local facts = redis.call('ZRANGEBYSCORE', FACTS .. key, since, '+inf', 'WITHSCORES')
  local counted = {}
  for i = 1, #facts, 2 do
    if not ignores[string.match(facts[i], '|([^|]*)$')] then
      counted[#counted + 1] = facts[i + 1]
    end
  end
  return counted[#counted - max + 1]
end

local function refusal(position, record)
  local lead, reason = record[2], stopped(record[5])
  if reason then
    return {position, 'stopped', reason}
  end
  if finished(lead) then
    return {position, 'finished'}
  end
  if redis.call('HEXISTS', HELD, lead) == 1 then
    return {position, 'held'}
  end
  for i, cap in ipairs(record[7]) do
    local fact = binding_fact(cap)
    if fact then
      return {position, 'capped', i, fact}
    end
  end
end

local function hold(record, claim)
  local attempt, lead, at, keep_from = record[1], record[2], record[3], record[4]
  for _, key in ipairs(record[6]) do
    redis.call('ZREMRANGEBYSCORE', FACTS .. key, '-inf', '(' .. keep_from)
    redis.call('ZADD', FACTS .. key, at, CAMPAIGN .. '|' .. attempt .. '|PENDING')
    redis.call('EXPIRE', FACTS .. key, IDLE_S)
  end
  redis.call('HSET', HELD, lead, attempt)
  redis.call('HSET', IN_FLIGHT, attempt, claim)
end

local refusals = {}
for position, record in ipairs(cjson.decode(ARGV[FIRST_CLAIM])) do
  -- An attempt that is held already was claimed by a call whose answer was lost: it stays held.
  if redis.call('HEXISTS', IN_FLIGHT, record[1]) == 0 then
    local refused = refusal(position, record)
    if refused then
      refusals[#refusals + 1] = refused
    else
      hold(record, ARGV[FIRST_CLAIM + position])
    end
  end
end
return refusals
