-- Record a consent, unless there is a newer one. KEYS: consents. ARGV: field, consent JSON. Answers 1 where it is recorded.
local before = redis.call('HGET', KEYS[1], ARGV[1])
if before and cjson.decode(before).at > cjson.decode(ARGV[2]).at then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
