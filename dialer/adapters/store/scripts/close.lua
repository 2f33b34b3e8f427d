-- Give a lease back, unless a later run has it by now.
-- KEYS: run, lease. ARGV: fence.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[2])
