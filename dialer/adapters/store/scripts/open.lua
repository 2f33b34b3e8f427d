-- Take a campaign's lease unless another live owner holds it. The run counter is the fence: it grows with each opening.
-- KEYS: run, lease, stop_log. ARGV: owner, lease in ms.
-- Answers {1, run, position in the stop log} or {0, holder, ms until the lease lapses}.
local lease = redis.call('GET', KEYS[2])
if lease then
  local holder = string.match(lease, '^%d+|(.*)$')
  if holder ~= ARGV[1] then
    return {0, holder, redis.call('PTTL', KEYS[2])}
  end
end
local run = redis.call('INCR', KEYS[1])
redis.call('SET', KEYS[2], run .. '|' .. ARGV[1], 'PX', ARGV[2])
local last = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)
return {1, run, last[1] and last[1][1] or '0-0'}
