-- Forget a registry. KEYS: dnc, the registry's numbers. ARGV: name. Answers 1 where there was one, else 0.
redis.call('UNLINK', KEYS[2])
return redis.call('HDEL', KEYS[1], ARGV[1])
