-- Take a campaign's lease unless another live owner holds it. The run counter is the fence: it grows with each opening.
-- KEYS: run, lease, turn, stop_log, campaigns. ARGV: campaign, owner, lease in ms, an owner known to be dead or ''.
-- Answers {1, run, position in the stop log} or {0, holder, ms until the lease lapses}.
local RUN, LEASE, TURN, STOP_LOG = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local CAMPAIGNS, CAMPAIGN = KEYS[5], ARGV[1]
local OWNER, LEASE_MS, DEAD_OWNER = ARGV[2], ARGV[3], ARGV[4]

local lease = redis.call('GET', LEASE)
if lease then
  local holder = string.match(lease, '^%d+|(.*)$')
  if holder ~= OWNER and (DEAD_OWNER == '' or holder ~= DEAD_OWNER) then
    return {0, holder, redis.call('PTTL', LEASE)}
  end
end
redis.call('SADD', CAMPAIGNS, CAMPAIGN)
local run = redis.call('INCR', RUN)
redis.call('SET', LEASE, run .. '|' .. OWNER, 'PX', LEASE_MS)
redis.call('DEL', TURN)
local last = redis.call('XREVRANGE', STOP_LOG, '+', '-', 'COUNT', 1)
return {1, run, last[1] and last[1][1] or '0-0'}
