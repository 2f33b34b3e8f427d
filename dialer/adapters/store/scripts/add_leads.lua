-- Add leads that are not there yet, in the order given.
-- KEYS: leads, order. ARGV: lead id, lead JSON, lead id, lead JSON, ...
-- Answers the positions (from 1) of the leads that were there already.
local known = {}
for i = 1, #ARGV, 2 do
  if redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) == 1 then
    redis.call('RPUSH', KEYS[2], ARGV[i])
  else
    known[#known + 1] = (i + 1) / 2
  end
end
return known
