-- Record the ends of a batch of attempts. One that is not in flight was settled before: it changes nothing.
-- KEYS: run, stops, progress, held, in_flight, stop_log.
-- ARGV: fence, campaign, prefix of the fact keys, how many stops the log keeps, records JSON, then one progress JSON a record.
-- A record is [attempt, lead, disposition, [stop key], stop reason].
local RUN, STOPS, PROGRESS, HELD, IN_FLIGHT, STOP_LOG = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local FENCE, CAMPAIGN, FACTS, LOG_LENGTH = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local FIRST_PROGRESS = 5

if redis.call('GET', RUN) ~= FENCE then
  return redis.error_reply('FENCED a later run opened the campaign')
end

-- The facts to move are those of the claim itself, whatever the settlement thinks they were.
local function move_facts(attempt, claim, disposition)
  local member = CAMPAIGN .. '|' .. attempt .. '|'
  for _, key in ipairs(cjson.decode(claim).fact_keys) do
    local at = redis.call('ZSCORE', FACTS .. key, member .. 'PENDING')
    if at then
      redis.call('ZREM', FACTS .. key, member .. 'PENDING')
      redis.call('ZADD', FACTS .. key, at, member .. disposition)
    end
  end
end

local function stop(key, reason)
  if redis.call('HSETNX', STOPS, key, reason) == 1 then
    redis.call('XADD', STOP_LOG, 'MAXLEN', '~', LOG_LENGTH, '*', 'key', key, 'reason', reason)
  end
end

local function settle(record, progress)
  local attempt, lead, disposition = record[1], record[2], record[3]
  local claim = redis.call('HGET', IN_FLIGHT, attempt)
  if not claim then
    return
  end
  move_facts(attempt, claim, disposition)
  redis.call('HDEL', IN_FLIGHT, attempt)
  redis.call('HSET', PROGRESS, lead, progress)
  redis.call('HDEL', HELD, lead)
  for _, key in ipairs(record[4]) do
    stop(key, record[5])
  end
end

for position, record in ipairs(cjson.decode(ARGV[FIRST_PROGRESS])) do
  settle(record, ARGV[FIRST_PROGRESS + position])
end
