-- Take a stop back: one reason of it, or all. The stop log is left as it is: it says what was forbidden, and when.
-- KEYS: stops. ARGV: key, reason or '' for all. Answers the reasons that were taken back, one a line; '' where none was.
local reasons, wanted = redis.call('HGET', KEYS[1], ARGV[1]) or '', ARGV[2]
local lifted, left = {}, {}
for reason in string.gmatch(reasons, '[^\n]+') do
  local into = (wanted == '' or reason == wanted) and lifted or left
  into[#into + 1] = reason
end
if #left > 0 then
  redis.call('HSET', KEYS[1], ARGV[1], table.concat(left, '\n'))
else
  redis.call('HDEL', KEYS[1], ARGV[1])
end
return table.concat(lifted, '\n')
