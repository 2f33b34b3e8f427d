-- Keep when a consent was last revoked. KEYS: consents. ARGV: field of the consent, that of the revocation, when.
-- Answers 1 where it takes a consent back, else 0.
local at, before = tonumber(ARGV[3]), tonumber(redis.call('HGET', KEYS[1], ARGV[2]) or '') or -math.huge
if at > before then
  redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
end
local given = redis.call('HGET', KEYS[1], ARGV[1])
if not given then
  return 0
end
local given_at = cjson.decode(given).at
return (before < given_at and given_at <= at) and 1 or 0
