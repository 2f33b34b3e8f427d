-- Record facts from outside the campaigns. One that is there already stays as it is.
-- ARGV: prefix of the fact keys, s after which an untouched fact key goes, facts JSON: [[member, at, [fact key]]].
local FACTS, IDLE_S = ARGV[1], ARGV[2]
for _, fact in ipairs(cjson.decode(ARGV[3])) do
  for _, key in ipairs(fact[3]) do
    redis.call('ZADD', FACTS .. key, 'NX', fact[2], fact[1])
    redis.call('EXPIRE', FACTS .. key, IDLE_S)
  end
end
