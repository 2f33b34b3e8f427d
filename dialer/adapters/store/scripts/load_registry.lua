-- Add numbers to a registry that is being loaded. What nobody completes goes by itself.
-- KEYS: the loading set. ARGV: 1 where pieces came before this one else 0, s after which the set goes, numbers...
-- Answers how many numbers are loaded by now.
local LOADING = KEYS[1]
if ARGV[1] == '1' and redis.call('EXISTS', LOADING) == 0 then
  return redis.error_reply('GONE the loading took too long: start it again')
end
redis.call('SADD', LOADING, unpack(ARGV, 3))
redis.call('EXPIRE', LOADING, ARGV[2])
return redis.call('SCARD', LOADING)
