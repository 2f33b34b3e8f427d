-- Prolong a lease. It may have lapsed meanwhile: as long as nobody opened the campaign since, it is taken again.
-- KEYS: run, lease. ARGV: fence, owner, lease in ms. Answers 1, or 0 where a later run exists.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[2], ARGV[1] .. '|' .. ARGV[2], 'PX', ARGV[3])
return 1
