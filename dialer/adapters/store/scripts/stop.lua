-- Forbid a key for ever and tell whoever reads the stop log. The first reason stays.
-- KEYS: stops, stop_log. ARGV: key, reason, how many stops the log keeps.
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 1 then
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', 'key', ARGV[1], 'reason', ARGV[2])
end
