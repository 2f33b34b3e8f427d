-- Put a registry that was loaded in the place of the old one. The old one's memory is freed aside.
-- KEYS: dnc, the registry's numbers, the loading set. ARGV: name, info JSON, 1 if there are any numbers else 0.
local REGISTRIES, NUMBERS, LOADING = KEYS[1], KEYS[2], KEYS[3]
if ARGV[3] == '1' and redis.call('EXISTS', LOADING) == 0 then
  return redis.error_reply('GONE the loading took too long: start it again')
end
redis.call('UNLINK', NUMBERS)
if ARGV[3] == '1' then
  redis.call('PERSIST', LOADING)
  redis.call('RENAME', LOADING, NUMBERS)
end
redis.call('HSET', REGISTRIES, ARGV[1], ARGV[2])
