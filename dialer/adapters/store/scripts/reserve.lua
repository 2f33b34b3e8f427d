-- Claim a batch. Claims are judged in order and each by itself: one sees what those before it took.
-- KEYS: run, lease, turn, stops, progress, held, in_flight, dnc, hours, consents.
-- ARGV: fence, owner, lease in ms, turn, campaign, prefix of the registries' numbers, batch MessagePack, then one claim
-- JSON a claim.
-- A batch is columns, one entry a claim: attempt, lead, number, person; stop keys of all in a row; how many they are;
-- [stream], [text], record up to its outcome, place of the plan, place of `at`, 0 or [consent since, consent key, ...];
-- and what claims share: [plan], [time as text], [[ignored outcome]], [[registry, fresh since, whether it blocks when
-- stale]]. Places begin at 1: tables take time to make, so much is shared.
-- A plan is [in how many of the streams the attempt is recorded, [place of a stream that caps look into, place of the
-- time since when, ...], [place of the cap's stream or minus that of its way, max, since, place of the ignored outcomes,
-- ...], [way], [place of the registry], [[weekday, minute]]].
-- A way is how to pick a cap's facts: [place of the stream, place of the person's or 0, 0 or agreement, [agreement]]: of
-- the stream those that agree with all of the last; and with an agreement before, of the person's those that agree with
-- it as well without having its first text. A fact agrees with [place of a text, begin of a part, ...] if it has one of the
-- texts, or none of the parts.
-- Times that are handed on come as text: that is quicker than to print them here, and Lua's own way loses digits.
-- Answers MessagePack, one entry a claim: ['granted', [place in the plan of a stale registry], facts that each cap saw,
-- ...] | ['known'] | ['stopped', place of the stop key, its reasons] | ['finished'] | ['held'] | ['listed', place in the
-- plan] | ['stale', the same] | ['missing', the same] | ['consent'] | ['hours', minutes until they end] | ['capped',
-- place of the cap, facts that it saw, `at` of the fact whose leaving frees a slot or '', whether unsettled attempts may
-- free one].
local RUN, LEASE, TURN, STOPS, PROGRESS, HELD, IN_FLIGHT = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local REGISTRIES, HOURS, CONSENTS = KEYS[8], KEYS[9], KEYS[10]
local FENCE, OWNER, LEASE_MS, TURN_NO = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local REGISTRY = ARGV[6]
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
local ATTEMPTS, LEADS, STOP_COUNTS = batch[1], batch[2], batch[6]
local STREAMS, TEXTS, RECORDS, PLAN_OF, AT, CONSENT = batch[7], batch[8], batch[9], batch[10], batch[11], batch[12]
local PLANS, TIMES, CHECKS = batch[13], batch[14], batch[16]
local NONE = {}

-- Many fields in few commands; what is answered, in their order.
local function ask(command, key, fields)
  if #fields == 0 then
    return NONE
  end
  if #fields <= PIECE then
    return call(command, key, unpack(fields))
  end
  local answers = {}
  for first = 1, #fields, PIECE do
    local some = call(command, key, unpack(fields, first, math.min(first + PIECE - 1, #fields)))
    for _, answer in ipairs(some) do
      answers[#answers + 1] = answer
    end
  end
  return answers
end

local progress = ask('HMGET', PROGRESS, LEADS)
local held = ask('HMGET', HELD, LEADS) -- and what this call adds, by lead
local in_flight = ask('HMGET', IN_FLIGHT, ATTEMPTS) -- and what this call adds, by attempt
local hours = ask('HMGET', HOURS, batch[4])

local stopped = {} -- the refusal by a claim's first stop
local reasons, place = ask('HMGET', STOPS, batch[5]), 0
for position, count in ipairs(STOP_COUNTS) do
  for i = place + 1, place + count do
    if reasons[i] and not stopped[position] then
      stopped[position] = {'stopped', i - place, reasons[i]}
    end
  end
  place = place + count
end

local ignored = {}
for position, outcomes in ipairs(batch[15]) do
  ignored[position] = {}
  for _, outcome in ipairs(outcomes) do
    ignored[position][outcome] = true
  end
end

-- By the place of the check: whether there is no copy; whether the copy is stale; who of the batch is on it.
local missing, stale, on_list = {}, {}, {}
for position, check in ipairs(CHECKS) do
  local info = call('HGET', REGISTRIES, check[1])
  missing[position] = not info
  stale[position] = info and cjson.decode(info).as_of < check[2]
  on_list[position] = ask('SMISMEMBER', REGISTRY .. check[1], batch[3])
end

local function listed(position, checks)
  local warned = NONE
  for i, check in ipairs(checks) do
    if on_list[check][position] == 1 then
      return {'listed', i}
    end
    if missing[check] then
      return {'missing', i}
    end
    if stale[check] then
      if CHECKS[check][3] then
        return {'stale', i}
      end
      warned = {unpack(warned)}
      warned[#warned + 1] = i
    end
  end
  return nil, warned
end

-- A revocation under one of the keys takes back what was agreed to until then under each of them.
local function consented(wanted, at)
  local revoked = -math.huge
  for i = 2, #wanted do
    revoked = math.max(revoked, tonumber(call('HGET', CONSENTS, 'revoked|' .. wanted[i]) or '') or -math.huge)
  end
  for i = 2, #wanted do
    local found = call('HGET', CONSENTS, wanted[i])
    if found then
      local consent = cjson.decode(found)
      local ends = consent.expires_at
      if consent.at > revoked and consent.at >= wanted[1] and consent.at <= at and (ends == cjson.null or at < ends) then
        return true
      end
    end
  end
end

-- How many minutes from that of the claim on nobody may call; nil where that minute is none of the person's hours.
local function inconvenient(times, spans)
  local longest
  for _, span in ipairs(cjson.decode(spans)) do
    for _, time in ipairs(times) do
      if time[1] == span[1] and span[2] <= time[2] and time[2] < span[3] then
        longest = math.max(longest or 0, span[3] - time[2])
      end
    end
  end
  return longest
end

-- A stream's facts as member, `at`, outcome, member, `at`, outcome, ...; oldest first. What has no outcome that could
-- be read counts.
local function facts_of(key, since)
  local found = call('ZRANGEBYSCORE', key, since, '+inf', 'WITHSCORES')
  if #found == 0 then
    return NONE
  end
  local facts, n = {found[1], tonumber(found[2]), match(found[1], '.*|(.*)') or ''}, 3
  for i = 3, #found, 2 do
    local member = found[i]
    facts[n + 1], facts[n + 2], facts[n + 3] = member, tonumber(found[i + 1]), match(member, '.*|(.*)') or ''
    n = n + 3
  end
  return facts
end

local function agrees(member, texts, agreement)
  if find(member, texts[agreement[1]], 1, true) then
    return true
  end
  local named = find(member, agreement[2], 1, true)
  for i = 3, #agreement, 2 do
    if find(member, texts[agreement[i]], 1, true) then
      return true
    end
    named = named or find(member, agreement[i + 1], 1, true)
  end
  return not named
end

local function earlier(one, other)
  if one[2] ~= other[2] then
    return one[2] < other[2]
  end
  return one[1] < other[1]
end

-- The facts of a stream and those of the person's, in their order. Records of one event stay side by side.
local function joined(facts, more)
  local every, flat = {}, {}
  for _, from in ipairs({facts, more}) do
    for i = 1, #from, 3 do
      every[#every + 1] = {from[i], from[i + 1], from[i + 2]}
    end
  end
  table.sort(every, earlier)
  for _, fact in ipairs(every) do
    flat[#flat + 1], flat[#flat + 2], flat[#flat + 3] = fact[1], fact[2], fact[3]
  end
  return flat
end

-- The facts of a way's stream, and those of the person's that agree with what it is named by without naming it.
local function facts_on(way, streams, texts)
  local facts, of_person, also, more = streams[way[1]], streams[way[2]] or NONE, way[3], NONE
  for i = 1, #of_person, 3 do
    local member = of_person[i]
    if not find(member, texts[also[1]], 1, true) and agrees(member, texts, also) then
      more = {unpack(more)}
      more[#more + 1], more[#more + 2], more[#more + 3] = member, of_person[i + 1], of_person[i + 2]
    end
  end
  return more == NONE and facts or joined(facts, more)
end

-- Count a cap's facts, each event once; answers how many, `at` of the one whose leaving frees a slot, and how many are
-- unsettled. The records of one event come one after the other, for they begin with the same.
local function count(facts, max, since, skipped, texts, agreements)
  local seen, pending, binding, event, event_at = 0, 0, nil, nil, nil
  for i = #facts - 2, 1, -3 do
    local member, at, outcome = facts[i], facts[i + 1], facts[i + 2]
    if at < since then
      break
    end
    local counts = not skipped[outcome]
    for k = 1, #agreements do
      counts = counts and agrees(member, texts, agreements[k])
    end
    if counts then
      local before, before_at = event, event_at
      event, event_at = match(member, '^|o=[^|]*|'), at
      if not event or event ~= before or event_at ~= before_at then
        seen = seen + 1
        if seen == max then
          binding = at
        end
        if outcome == 'PENDING' then
          pending = pending + 1
        end
      end
    end
  end
  return seen, binding, pending
end

-- The refusal by a cap; or nil and what each cap counted, behind what a grant's answer begins with.
local function capped(position, plan, warned)
  local keys, texts, wanted, caps = STREAMS[position], TEXTS[position], plan[2], plan[3]
  local streams, answer = {}, {'granted', warned}
  for i = 1, #wanted, 2 do
    streams[wanted[i]] = facts_of(keys[wanted[i]], TIMES[wanted[i + 1]])
  end
  for i = 1, #caps, 4 do
    local from, max, skipped, agreements = caps[i], caps[i + 1], ignored[caps[i + 3]], NONE
    local facts = streams[from]
    if from < 0 then
      local way = plan[4][-from]
      facts, agreements = facts_on(way, streams, texts), way[4]
    end
    local seen, binding, pending = 0, nil, 0
    if facts ~= NONE then
      seen, binding, pending = count(facts, max, caps[i + 2], skipped, texts, agreements)
    end
    if seen >= max then
      local fact_at = binding and string.format('%.17g', binding) or ''
      return {'capped', (i + 3) / 4, seen, fact_at, next(skipped) ~= nil and pending > 0 and seen - pending < max}
    end
    answer[#answer + 1] = seen
  end
  return nil, answer
end

-- What the store says to a claim: a refusal; or nil and the answer to a grant.
local function judge(position)
  local plan, refused, warned = PLANS[PLAN_OF[position]], nil, nil
  if stopped[position] then
    return stopped[position]
  end
  -- No name in it could say so: a quotation mark has a backslash before it there.
  if progress[position] and not find(progress[position], '"status":"ready"', 1, true) then
    return {'finished'}
  end
  if held[position] or held[LEADS[position]] then
    return {'held'}
  end
  refused, warned = listed(position, plan[5])
  if refused then
    return refused
  end
  if CONSENT[position] ~= 0 and not consented(CONSENT[position], tonumber(TIMES[AT[position]])) then
    return {'consent'}
  end
  local minutes = hours[position] and inconvenient(plan[6], hours[position])
  if minutes then
    return {'hours', minutes}
  end
  return capped(position, plan, warned)
end

local new_held, new_in_flight, size = {}, {}, 0

local function hold(position)
  local attempt, lead, keys, at = ATTEMPTS[position], LEADS[position], STREAMS[position], TIMES[AT[position]]
  local member = RECORDS[position] .. 'PENDING'
  for i = 1, PLANS[PLAN_OF[position]][1] do
    call('ZADD', keys[i], at, member)
  end
  held[lead], in_flight[attempt] = attempt, true
  new_held[size + 1], new_held[size + 2] = lead, attempt
  new_in_flight[size + 1], new_in_flight[size + 2] = attempt, ARGV[FIRST_CLAIM + position]
  size = size + 2
end

local function put(key, fields)
  for first = 1, #fields, PIECE do
    call('HSET', key, unpack(fields, first, math.min(first + PIECE - 1, #fields)))
  end
end

local answers = {}
for position, attempt in ipairs(ATTEMPTS) do
  -- An attempt that is held already was claimed by a call whose answer was lost: it stays held.
  if in_flight[position] or in_flight[attempt] then
    answers[position] = {'known'}
  else
    local refused, granted = judge(position)
    answers[position] = refused or granted
    if not refused then
      hold(position)
    end
  end
end
put(HELD, new_held)
put(IN_FLIGHT, new_in_flight)
return cmsgpack.pack(answers)
