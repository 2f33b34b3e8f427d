-- Forbid a key for ever for one more reason, and tell whoever reads the stop log of one that is new.
-- KEYS: stops, stop_log. ARGV: key, reason, how many stops the log keeps. Reasons stand one a line.
local reasons = redis.call('HGET', KEYS[1], ARGV[1])
if reasons and string.find('\n' .. reasons .. '\n', '\n' .. ARGV[2] .. '\n', 1, true) then
  return
end
redis.call('HSET', KEYS[1], ARGV[1], reasons and reasons .. '\n' .. ARGV[2] or ARGV[2])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', 'key', ARGV[1], 'reason', ARGV[2])
