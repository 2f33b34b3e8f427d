-- Record the ends of a batch of attempts. One that is not in flight was settled before: it changes nothing.
-- KEYS: run, lease, turn, stops, progress, held, in_flight, stop_log.
-- ARGV: fence, owner, lease in ms, turn, campaign, prefix of the fact keys, how many stops the log keeps, s for which
-- facts are kept, s after which an untouched fact key goes, records JSON, then one progress JSON a record.
-- A record is [attempt, lead, disposition, [stop key], stop reason].
local RUN, LEASE, TURN, STOPS, PROGRESS, HELD, IN_FLIGHT = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local STOP_LOG = KEYS[8]
local FENCE, OWNER, LEASE_MS, TURN_NO = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local CAMPAIGN, FACTS, LOG_LENGTH = ARGV[5], ARGV[6], ARGV[7]
local KEEP_S, IDLE_S = tonumber(ARGV[8]), tonumber(ARGV[9])
local FIRST_PROGRESS = 10
local PIECE = 1000 -- fields a command: Lua's stack ends at some 8000

if redis.call('GET', RUN) ~= FENCE then
  return redis.error_reply('FENCED a later run opened the campaign')
end
-- A lease that lapsed while nobody else opened the campaign is taken again: no write without one.
if redis.call('EXISTS', LEASE) == 0 then
  redis.call('SET', LEASE, FENCE .. '|' .. OWNER, 'PX', LEASE_MS)
end
-- From here on a claim that was sent before and comes after is refused. A settlement that comes late is none the worse.
if tonumber(TURN_NO) > tonumber(redis.call('GET', TURN) or 0) then
  redis.call('SET', TURN, TURN_NO)
end

-- Trim a stream, and put off its end: at its first fact, and then now and then.
local function tend(key, at)
  local left_s = redis.call('TTL', key)
  if left_s >= KEEP_S then
    return
  end
  if left_s >= 0 then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('(%.17g', at - KEEP_S))
  end
  redis.call('EXPIRE', key, IDLE_S)
end

-- The facts to move are those of the claim itself, whatever the settlement thinks they were.
local function move_facts(attempt, claim, disposition)
  local record = cjson.decode(claim)
  local text = '|c=' .. CAMPAIGN .. '|' .. attempt .. (record.fact or '') .. '|'
  local pending, settled = text .. 'PENDING', text .. disposition
  local at = string.format('%.17g', record.at) -- Lua's own way loses digits
  for _, name in ipairs(record.fact_keys) do
    local key = FACTS .. name
    if redis.call('ZREM', key, pending) == 1 then
      redis.call('ZADD', key, at, settled)
      tend(key, record.at)
    end
  end
end

-- As in `stop.lua`.
local function stop(key, reason)
  local reasons = redis.call('HGET', STOPS, key)
  if reasons and string.find('\n' .. reasons .. '\n', '\n' .. reason .. '\n', 1, true) then
    return
  end
  redis.call('HSET', STOPS, key, reasons and reasons .. '\n' .. reason or reason)
  redis.call('XADD', STOP_LOG, 'MAXLEN', '~', LOG_LENGTH, '*', 'key', key, 'reason', reason)
end

-- Settle these records, at most PIECE: many fields go in one command.
local function settle(records, first, last)
  local attempts, ended, progress, free, settled = {}, {}, {}, {}, {}
  for position = first, last do
    attempts[#attempts + 1] = records[position][1]
  end
  local claims = redis.call('HMGET', IN_FLIGHT, unpack(attempts))
  for position = first, last do
    local attempt, lead, claim = records[position][1], records[position][2], claims[position - first + 1]
    if claim and not settled[attempt] then
      settled[attempt] = true
      move_facts(attempt, claim, records[position][3])
      ended[#ended + 1], free[#free + 1] = attempt, lead
      progress[#progress + 1], progress[#progress + 2] = lead, ARGV[FIRST_PROGRESS + position]
      for _, key in ipairs(records[position][4]) do
        stop(key, records[position][5])
      end
    end
  end
  if #ended > 0 then
    redis.call('HDEL', IN_FLIGHT, unpack(ended))
    redis.call('HSET', PROGRESS, unpack(progress))
    redis.call('HDEL', HELD, unpack(free))
  end
end

local records = cjson.decode(ARGV[FIRST_PROGRESS])
for first = 1, #records, PIECE do
  settle(records, first, math.min(first + PIECE - 1, #records))
end
