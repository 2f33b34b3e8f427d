-- Claim a batch. Claims are judged in order and each by itself: one sees what those before it took.
-- KEYS: run, lease, turn, stops, progress, held, in_flight, dnc, hours, consents.
-- ARGV: fence, owner, lease in ms, turn, campaign, prefix of the registries' numbers, batch MessagePack, then one claim
-- JSON a record.
-- A batch is [[stop key], [time as text], [[ignored outcome]], [[max, since, place of the ignored outcomes]],
-- [[registry, fresh since, whether it blocks when stale]], [record]]; a record is [attempt, lead, number, person,
-- place of `at`, [place of the stop key], [stream], how many of them the attempt is recorded in, [place of a stream that
-- caps look into, place of the time since when, ...],
-- [place among these two, place of the cap, ...], [place of the registry], [consent since, consent key, ...],
-- [[weekday, minute]]]. Places begin at 1. Much is shared by a batch, and tables take time to make.
-- Numbers that are handed on come as text: that is quicker than to print them here, and Lua's own way loses digits.
-- Answers JSON, one entry a claim: ['granted', [facts that each cap saw], [place in the record of a stale registry]]
-- | ['known'] | ['stopped', reason] | ['finished'] | ['held'] | ['listed', place in the record] | ['stale', the same]
-- | ['consent'] | ['hours', minutes until they end] | ['capped', place of the cap, facts that it saw, `at` of the fact
-- whose leaving frees a slot or '', whether unsettled attempts may free one].
local RUN, LEASE, TURN, STOPS, PROGRESS, HELD, IN_FLIGHT = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local REGISTRIES, HOURS, CONSENTS = KEYS[8], KEYS[9], KEYS[10]
local FENCE, OWNER, LEASE_MS, TURN_NO = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local CAMPAIGN, REGISTRY = ARGV[5], ARGV[6]
local FIRST_CLAIM = 7
local PIECE = 1000 -- fields a command: Lua's stack ends at some 8000
local call, match, find = redis.call, string.match, string.find

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

local batch = cmsgpack.unpack(ARGV[FIRST_CLAIM])
local TIMES, CAPS, CHECKS, RECORDS = batch[2], batch[4], batch[5], batch[6]

-- Many fields in few commands; what is answered, in their order.
local function ask(command, key, fields)
  local answers = {}
  for first = 1, #fields, PIECE do
    local some = redis.call(command, key, unpack(fields, first, math.min(first + PIECE - 1, #fields)))
    for _, answer in ipairs(some) do
      answers[#answers + 1] = answer
    end
  end
  return answers
end

-- The same of one field of each record.
local function of_records(command, key, field)
  local fields = {}
  for position, record in ipairs(RECORDS) do
    fields[position] = record[field]
  end
  return ask(command, key, fields)
end

local progress = of_records('HMGET', PROGRESS, 2)
local held = of_records('HMGET', HELD, 2) -- and what this call adds, by lead
local in_flight = of_records('HMGET', IN_FLIGHT, 1) -- and what this call adds, by attempt
local hours = of_records('HMGET', HOURS, 4)

local reasons, any_stop = ask('HMGET', STOPS, batch[1]), false
for _, reason in ipairs(reasons) do
  any_stop = any_stop or reason
end

local ignored = {}
for place, outcomes in ipairs(batch[3]) do
  ignored[place] = {}
  for _, outcome in ipairs(outcomes) do
    ignored[place][outcome] = true
  end
end

local stale, on_list = {}, {} -- by the place of the check: whether it is stale; who of the batch is on it
for place, check in ipairs(CHECKS) do
  local info = redis.call('HGET', REGISTRIES, check[1])
  stale[place] = not info or cjson.decode(info).as_of < check[2]
  on_list[place] = of_records('SMISMEMBER', REGISTRY .. check[1], 3)
end

local function stopped(record)
  for _, place in ipairs(record[6]) do
    if reasons[place] then
      return {'stopped', reasons[place]}
    end
  end
end

local function listed(record, position)
  local warned = {}
  for i, place in ipairs(record[11]) do
    if on_list[place][position] == 1 then
      return {'listed', i}
    end
    if stale[place] then
      if CHECKS[place][3] then
        return {'stale', i}
      end
      warned[#warned + 1] = i
    end
  end
  return nil, warned
end

local function consented(record)
  local wanted, at = record[12], tonumber(TIMES[record[5]])
  for i = 2, #wanted do
    local found = redis.call('HGET', CONSENTS, wanted[i])
    if found then
      local consent = cjson.decode(found)
      local ends = consent.expires_at
      if consent.at >= wanted[1] and consent.at <= at and (ends == cjson.null or at < ends) then
        return true
      end
    end
  end
end

-- How many minutes from that of the claim on nobody may call; nil where that minute is none of the person's hours.
local function inconvenient(record, spans)
  local longest
  for _, span in ipairs(cjson.decode(spans)) do
    for _, time in ipairs(record[13]) do
      if time[1] == span[1] and span[2] <= time[2] and time[2] < span[3] then
        longest = math.max(longest or 0, span[3] - time[2])
      end
    end
  end
  return longest
end

-- A stream's facts as outcome, `at`, outcome, `at`, ...; oldest first.
local function facts_of(key, since)
  local facts = call('ZRANGEBYSCORE', key, since, '+inf', 'WITHSCORES')
  for i = 1, #facts, 2 do
    facts[i], facts[i + 1] = match(facts[i], '|([^|]*)$'), tonumber(facts[i + 1])
  end
  return facts
end

-- Count a cap's facts; answers how many, `at` of the one whose leaving frees a slot, and how many are unsettled.
local function count(facts, max, since, skipped)
  local seen, pending, binding = 0, 0, nil
  for i = #facts, 2, -2 do
    if facts[i] < since then
      break
    end
    local outcome = facts[i - 1]
    if not skipped[outcome] then
      seen = seen + 1
      if seen == max then
        binding = facts[i]
      end
      if outcome == 'PENDING' then
        pending = pending + 1
      end
    end
  end
  return seen, binding, pending
end

-- The refusal by a cap; or nil and what each cap counted.
local function capped(record)
  local keys, wanted, checks, streams, counts = record[7], record[9], record[10], {}, {}
  for i = 1, #wanted, 2 do
    streams[wanted[i]] = facts_of(keys[wanted[i]], TIMES[wanted[i + 1]])
  end
  for i = 1, #checks / 2 do
    local cap = CAPS[checks[2 * i]]
    local max, skipped = cap[1], ignored[cap[3]]
    local seen, binding, pending = count(streams[checks[2 * i - 1]], max, cap[2], skipped)
    if seen >= max then
      local fact_at = binding and string.format('%.17g', binding) or ''
      return {'capped', i, seen, fact_at, next(skipped) ~= nil and pending > 0 and seen - pending < max}
    end
    counts[i] = seen
  end
  return nil, counts
end

-- What the store says to a claim: a refusal; or nil, what each cap saw, and the registries to be warned of.
local function judge(position, record)
  local warned, counts
  local refused = any_stop and stopped(record)
  if refused then
    return refused
  end
  -- No name in it could say so: a quotation mark has a backslash before it there.
  if progress[position] and not find(progress[position], '"status":"ready"', 1, true) then
    return {'finished'}
  end
  if held[position] or held[record[2]] then
    return {'held'}
  end
  refused, warned = listed(record, position)
  if refused then
    return refused
  end
  if #record[12] > 0 and not consented(record) then
    return {'consent'}
  end
  local minutes = hours[position] and inconvenient(record, hours[position])
  if minutes then
    return {'hours', minutes}
  end
  refused, counts = capped(record)
  return refused, counts, warned
end

local new_held, new_in_flight = {}, {}

local function hold(position, record)
  local attempt, lead, keys, at = record[1], record[2], record[7], TIMES[record[5]]
  local member = CAMPAIGN .. '|' .. attempt .. '|PENDING'
  for place = 1, record[8] do
    call('ZADD', keys[place], at, member)
  end
  held[lead], in_flight[attempt] = attempt, true
  new_held[#new_held + 1], new_held[#new_held + 2] = lead, attempt
  new_in_flight[#new_in_flight + 1], new_in_flight[#new_in_flight + 2] = attempt, ARGV[FIRST_CLAIM + position]
end

local function put(key, fields)
  for first = 1, #fields, PIECE do
    redis.call('HSET', key, unpack(fields, first, math.min(first + PIECE - 1, #fields)))
  end
end

local answers = {}
for position, record in ipairs(RECORDS) do
  -- An attempt that is held already was claimed by a call whose answer was lost: it stays held.
  if in_flight[position] or in_flight[record[1]] then
    answers[position] = {'known'}
  else
    local refused, counts, warned = judge(position, record)
    answers[position] = refused or {'granted', counts, warned}
    if not refused then
      hold(position, record)
    end
  end
end
put(HELD, new_held)
put(IN_FLIGHT, new_in_flight)
return cjson.encode(answers)
