-- Add leads that are not there yet, in the order given.
-- KEYS: leads, order, campaigns. ARGV: campaign, lead id, lead JSON, lead id, lead JSON, ...
-- Answers the positions (from 1) of the leads that were there already.
redis.call('SADD', KEYS[3], ARGV[1])
local known = {}
for i = 2, #ARGV, 2 do
  if redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) == 1 then
    redis.call('RPUSH', KEYS[2], ARGV[i])
  else
    known[#known + 1] = i / 2
  end
end
return known
