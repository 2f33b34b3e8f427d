-- Set a field of a hash, or with an empty value take it out. KEYS: hash. ARGV: field, value.
-- Answers 1 where there was one before, else 0.
if ARGV[2] == '' then
  return redis.call('HDEL', KEYS[1], ARGV[1])
end
return 1 - redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
