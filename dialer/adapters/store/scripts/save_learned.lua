-- Replace the snapshot of what a campaign learned and counted.
-- KEYS: run, learned. ARGV: fence, learned JSON.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('FENCED a later run opened the campaign')
end
redis.call('SET', KEYS[2], ARGV[2])
